//! A session as Markdown, in the layout of ggcode.
//!
//! Three things differ from it: a fence is longer than any run of backticks in the text that it
//! holds, so that no output of a tool ends its own block; what ggcode drops (images, thoughts,
//! blocks that are not known) is named; and what people and models say is Markdown that stays in
//! its place (`inert`): no HTML, no link, no image, and no heading or rule but those written here.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;

use super::{image, inert};
use crate::model::message::{Block, Message, Role};
use crate::model::session::Summary;
use crate::model::text::title_line;

/// Longest text that stands on a line of its own making: a title, an id, a name. In bytes.
const LINE_BYTES_MAX: usize = 1024;

/// What a session's agent puts into the head in its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stated {
    /// When the session was created, as text.
    pub created: Option<String>,
    /// When it was updated, as text.
    pub updated: Option<String>,
    /// Who answered, in place of the model: a label and what it says.
    pub answering: Option<(&'static str, String)>,
}

/// Writes the head of a session.
pub(crate) fn write_head(
    out: &mut dyn Write,
    summary: &Summary,
    stated: &Stated,
) -> io::Result<()> {
    let title = heading(&summary.title);
    writeln!(
        out,
        "# {}\n",
        if title.is_empty() {
            "Untitled session"
        } else {
            &title
        }
    )?;
    writeln!(out, "**Session:** {}", plain(summary.key.id()))?;
    let or = |stated: &Option<String>, time| stated.clone().unwrap_or_else(|| seconds(time));
    let created = or(&stated.created, summary.created_at);
    let updated = or(&stated.updated, summary.updated_at);
    writeln!(out, "**Created:** {}", plain(&created))?;
    writeln!(out, "**Updated:** {}", plain(&updated))?;
    if let Some((label, text)) = &stated.answering {
        writeln!(out, "**{label}:** {}", plain(text))?;
    } else if let Some(model) = &summary.model {
        writeln!(out, "**Model:** {}", plain(model))?;
    }
    writeln!(out, "**Messages:** {}\n\n---\n", summary.message_count)
}

/// Writes one message.
pub(crate) fn write_message(out: &mut dyn Write, message: &Message) -> io::Result<()> {
    let role = match message.role {
        Role::User => "User",
        Role::Assistant => "Assistant",
        Role::System => "System",
        Role::Tool => "Tool",
        Role::Other => "Other",
    };
    writeln!(out, "## {role}\n")?;
    write_standing(out, message)?;
    for block in &message.content {
        write_block(out, block)?;
    }
    writeln!(out, "---\n")
}

/// What is to be known of a message before it is read.
fn write_standing(out: &mut dyn Write, message: &Message) -> io::Result<()> {
    if message.agent_id.is_some() {
        writeln!(out, "*By a sub-agent.*\n")?;
    }
    if message.injected {
        writeln!(out, "*Put in by the agent.*\n")?;
    }
    if !message.live {
        writeln!(out, "*Taken back.*\n")?;
    }
    Ok(())
}

fn write_block(out: &mut dyn Write, block: &Block) -> io::Result<()> {
    match block {
        Block::Text { text } => {
            inert::write_text(out, text)?;
            writeln!(out)
        }
        Block::Thinking { text, .. } if text.is_empty() => {
            writeln!(
                out,
                "**Thinking:** kept by the agent in a form that cannot be read\n"
            )
        }
        Block::Thinking { text, .. } => {
            writeln!(out, "**Thinking:**")?;
            write_fenced(out, "", text)?;
            writeln!(out)
        }
        Block::Image { .. } => write_image(out, block),
        Block::ToolUse { name, input, .. } => {
            writeln!(out, "**Tool Call:** {}", code_span(name))?;
            if let Some(input) = input {
                write_fenced(out, "json", input.as_str())?;
            }
            writeln!(out)
        }
        Block::ToolResult {
            output,
            is_error,
            images,
            ..
        } => {
            writeln!(out, "**Tool Result** (error={is_error}):")?;
            write_fenced(out, "", output)?;
            writeln!(out)?;
            images.iter().try_for_each(|image| write_image(out, image))
        }
        Block::Other { json } => {
            writeln!(
                out,
                "**Other Block:** {}",
                code_span(&type_of(json.as_str()))
            )?;
            write_fenced(out, "json", json.as_str())?;
            writeln!(out)
        }
    }
}

fn write_image(out: &mut dyn Write, block: &Block) -> io::Result<()> {
    match image::label(block) {
        Some(label) => writeln!(out, "**Image:** {}\n", inert::one_line(&label)),
        None => Ok(()),
    }
}

/// Writes text between two fences that it cannot close.
fn write_fenced(out: &mut dyn Write, language: &str, text: &str) -> io::Result<()> {
    let fence = inert::fence_for(inert::longest_run_of_backticks(text));
    writeln!(out, "{fence}{language}\n{text}\n{fence}")
}

/// Text as code within a line.
fn code_span(text: &str) -> String {
    let text = one_line(text);
    match inert::longest_run_of_backticks(&text) {
        0 => format!("`{text}`"),
        run => {
            let fence = "`".repeat(run + 1);
            // The spaces keep a backtick at an end of the text apart from the fence.
            format!("{fence} {text} {fence}")
        }
    }
}

fn one_line(text: &str) -> String {
    title_line(text, LINE_BYTES_MAX)
}

/// Text of a line that is not code.
fn plain(text: &str) -> String {
    inert::one_line(&one_line(text))
}

/// The same, of a heading: some readers take braces at its end for attributes, and cut code open there.
fn heading(text: &str) -> String {
    let line = plain(text);
    let end = line.trim_end_matches([' ', '#']).len();
    match line.split_at(end) {
        (start, behind) if start.ends_with('}') => {
            let start = start.strip_suffix('}').unwrap_or(start);
            format!("{start}&#125;{behind}")
        }
        _ => line,
    }
}

fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What a block calls itself.
fn type_of(json: &str) -> String {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        name: String,
    }
    serde_json::from_str::<Typed>(json).map_or_else(|_| "unknown".to_owned(), |typed| typed.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::SessionKey;
    use crate::model::raw_json::RawJson;

    fn written(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn message(role: Role, content: Vec<Block>) -> String {
        let message = Message {
            content,
            ..Message::new(role)
        };
        written(|out| write_message(out, &message))
    }

    fn result(output: &str, is_error: bool, images: Vec<Block>) -> Block {
        Block::ToolResult {
            id: None,
            name: None,
            output: output.into(),
            is_error,
            images,
        }
    }

    fn image() -> Block {
        let data = Some("A".repeat(1648));
        Block::Image {
            media_type: Some("image/png".into()),
            data,
            url: None,
        }
    }

    fn summary() -> Summary {
        let time = |text| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        Summary {
            title: "List files & count".into(),
            updated_at: time("2026-04-03T12:31:05+02:00"),
            message_count: 4,
            record_count: 5,
            bytes: 1000,
            next_sequence: 5,
            model: Some("model-1".into()),
            ..Summary::new(
                SessionKey::new("ggcode", "20260403-1").unwrap(),
                1,
                time("2026-04-03T10:30:00.123456Z"),
            )
        }
    }

    #[test]
    fn a_head_is_the_one_of_ggcode() {
        assert_eq!(
            written(|out| write_head(out, &summary(), &Stated::default())),
            "# List files & count\n\n**Session:** 20260403-1\n**Created:** 2026-04-03T10:30:00Z\n\
             **Updated:** 2026-04-03T10:31:05Z\n**Model:** model-1\n**Messages:** 4\n\n---\n\n"
        );
    }

    #[test]
    fn a_head_keeps_to_its_lines() {
        let mut summary = summary();
        summary.title = "one\n# two".into();
        summary.model = None;
        let head = written(|out| write_head(out, &summary, &Stated::default()));
        assert!(head.starts_with("# one # two\n\n"), "{head}");
        assert!(!head.contains("Model"), "{head}");
        summary.title.clear();
        assert!(
            written(|out| write_head(out, &summary, &Stated::default()))
                .starts_with("# Untitled session\n\n")
        );
    }

    #[test]
    fn blocks_are_laid_out_as_ggcode_does() {
        let text = |text: &str| Block::Text { text: text.into() };
        assert_eq!(
            message(Role::User, vec![text("# Hi\nthere")]),
            "## User\n\n\\# Hi\nthere\n\n---\n\n"
        );
        let input = Some(RawJson::parse("{\"path\": \".\"}").unwrap());
        let call = Block::ToolUse {
            id: None,
            name: "list_dir".into(),
            input,
        };
        let bare = Block::ToolUse {
            id: None,
            name: "now".into(),
            input: None,
        };
        assert_eq!(
            message(Role::Assistant, vec![text("Looking."), call, bare]),
            "## Assistant\n\nLooking.\n\n**Tool Call:** `list_dir`\n```json\n{\"path\": \".\"}\n\
             ```\n\n**Tool Call:** `now`\n\n---\n\n"
        );
        assert_eq!(
            message(
                Role::Tool,
                vec![result("a\nb", false, vec![]), result("no", true, vec![])]
            ),
            "## Tool\n\n**Tool Result** (error=false):\n```\na\nb\n```\n\n**Tool Result** \
             (error=true):\n```\nno\n```\n\n---\n\n"
        );
        assert_eq!(message(Role::System, vec![]), "## System\n\n---\n\n");
    }

    #[test]
    fn an_output_cannot_leave_its_fence() {
        let output = "```\n## User\n\n````rust\n````\n";
        assert_eq!(
            message(Role::User, vec![result(output, false, vec![])]),
            format!("## User\n\n**Tool Result** (error=false):\n`````\n{output}\n`````\n\n---\n\n")
        );
        let input = RawJson::parse("{\"text\":\"```\"}").unwrap();
        let call = Block::ToolUse {
            id: None,
            name: "a`b\n## c".into(),
            input: Some(input),
        };
        assert_eq!(
            message(Role::Assistant, vec![call]),
            "## Assistant\n\n**Tool Call:** `` a`b ## c ``\n````json\n{\"text\":\"```\"}\n````\n\n\
             ---\n\n"
        );
    }

    #[test]
    fn what_ggcode_drops_is_named() {
        let thought = |text: &str| Block::Thinking {
            text: text.into(),
            signature: None,
        };
        let other = Block::Other {
            json: RawJson::parse("{\"type\":\"audio\"}").unwrap(),
        };
        let blocks = vec![thought("hm"), thought(""), image(), other];
        assert_eq!(
            message(Role::Assistant, blocks),
            "## Assistant\n\n**Thinking:**\n```\nhm\n```\n\n**Thinking:** kept by the agent in a \
             form that cannot be read\n\n**Image:** image/png, 1,236 bytes\n\n**Other Block:** \
             `audio`\n```json\n{\"type\":\"audio\"}\n```\n\n---\n\n"
        );
        assert_eq!(
            message(Role::Tool, vec![result("seen", false, vec![image()])]),
            "## Tool\n\n**Tool Result** (error=false):\n```\nseen\n```\n\n**Image:** image/png, \
             1,236 bytes\n\n---\n\n"
        );
    }
}
