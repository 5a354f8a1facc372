//! Lines that tell before they are parsed that no message of them fits: most of those that are read.

use crate::agents;
use crate::model::record::Record;
use crate::search::Needles;
use crate::store::exceptions::Exceptions;

/// A look at the lines of a session.
pub(super) struct ByLines<'q> {
    /// What has to be in them; `None` where nothing is known.
    needles: Option<&'q Needles>,
    /// A line, folded.
    folded: String,
}

impl<'q> ByLines<'q> {
    /// At those that an agent writes.
    pub(super) fn new(agent: &str, needles: Option<&'q Needles>) -> Self {
        Self {
            needles: needles.filter(|_| agents::of_agent(agent).says_strings()),
            folded: String::new(),
        }
    }

    /// Whether no message fits that is shown at a record.
    pub(super) fn rules_out(&mut self, record: &Record, exceptions: &Exceptions) -> bool {
        let Some(needles) = self.needles else {
            return false;
        };
        // What a later line has of it is not in this one.
        exceptions.replaced_by(record.sequence).is_none()
            && !needles.may_be_in(&record.line, &mut self.folded)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::agents;
    use crate::search::{Pattern, pieces};

    /// What JSON writes one way or another, and what it does not.
    fn text() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "[a-cK:/_.-]{1,6}",
            Just("\n\t \"\\".to_owned()),
            Just("é錯\u{212a}ſ".to_owned()),
            Just("\u{1}\u{fffd}".to_owned()),
            Just("{\"a\":\"b\\n\\u00e9c\",\"d\":[1,true]}".to_owned()),
        ];
        prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
    }

    /// Lines of the agents that are said to write nothing but strings.
    fn line() -> impl Strategy<Value = (&'static str, String)> {
        (0_usize..8, text(), text(), any::<bool>()).prop_map(|(kind, one, other, is_escaped)| {
            let of_codex = |item| serde_json::json!({"type": "response_item", "payload": item});
            let of_claude = |content| {
                let message = serde_json::json!({"role": "user", "content": content});
                serde_json::json!({"type": "user", "message": message})
            };
            let json = match kind {
                0 => of_claude(serde_json::json!(one)),
                1 => of_claude(serde_json::json!([
                    {"type": "text", "text": one}, {"type": "thinking", "thinking": other},
                ])),
                2 => of_claude(serde_json::json!([
                    {"type": "tool_use", "id": "t", "name": one, "input": {"k": other, "n": [1, {}]}},
                    {"type": "tool_result", "tool_use_id": "t", "content": [
                        {"type": "text", "text": one}, {"type": "text", "text": other}, {"x": one},
                    ]},
                ])),
                3 => of_codex(serde_json::json!({"type": "message", "role": "user", "content": [
                    {"type": "input_text", "text": one}, {"type": "input_text", "text": other},
                ]})),
                4 => of_codex(serde_json::json!(
                    {"type": "function_call", "name": one, "arguments": other})),
                5 => of_codex(serde_json::json!({"type": "reasoning", "content": null, "summary": [
                    {"type": "summary_text", "text": one}, {"type": "summary_text", "text": other},
                ]})),
                6 => of_codex(serde_json::json!(
                    {"type": "function_call_output", "call_id": "c", "output": one})),
                _ => of_codex(serde_json::json!({"type": "function_call_output", "call_id": "c",
                    "output": serde_json::json!({"output": one, "metadata": {"x": other}}).to_string()})),
            };
            let mut line = json.to_string();
            if is_escaped {
                line = line.replace('/', "\\/").replace('a', "\\u0061");
            }
            (if kind < 3 { "claude-code" } else { "codex" }, line)
        })
    }

    proptest! {
        #[test]
        fn a_message_is_never_ruled_out_by_what_it_says(
            (agent, line) in line(), from in 0_usize..30, length in 1_usize..6, cut in any::<prop::sample::Index>(),
        ) {
            let dialect = agents::of_agent(agent);
            prop_assert!(dialect.says_strings());
            // Cut short, or two in one line, it is read in another way.
            let damaged = line.get(..cut.index(line.len() * 2)).unwrap_or(&line);
            let lines = [line.clone(), format!("{damaged}{line}")];
            for line in lines {
                for message in dialect.messages(line.as_bytes()) {
                    for piece in pieces(&message, &mut |_| true).looked() {
                        let part: String = piece.text.chars().skip(from).take(length).collect();
                        let phrase = format!("\"{}\"", part.replace('"', " "));
                        for query in [part.replace('"', " "), phrase] {
                            let Ok(pattern) = Pattern::parse(&query) else { continue };
                            if !pattern.is_in(&message, "") {
                                continue;
                            }
                            let needles = pattern.needles();
                            let may_be = needles.is_none_or(|needles| {
                                needles.may_be_in(line.as_bytes(), &mut String::new())
                            });
                            prop_assert!(may_be, "{query} in {line}");
                        }
                    }
                }
            }
        }
    }
}
