//! Markdown of any message: what tools say stays within its fence, names stay on their line.

use super::input::Input;
use crate::model::message::Block;
use crate::render::markdown;

/// Messages without free text: outside of fences there are only the lines of the layout.
pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let summary = input.summary("codex");
    let mut out = Vec::new();
    markdown::write_head(&mut out, &summary, &markdown::Stated::default()).unwrap();
    let head = String::from_utf8(out).unwrap();
    let starts = [
        "# ",
        "**Session:** ",
        "**Created:** ",
        "**Updated:** ",
        "**Model:** ",
        "**Messages:** ",
        "---",
    ];
    only(&head, &starts);
    assert_eq!(
        head.lines().filter(|line| line.starts_with("# ")).count(),
        1
    );
    while input.is_left() {
        let mut message = input.message();
        let mut out = Vec::new();
        markdown::write_message(&mut out, &message).unwrap();
        assert!(String::from_utf8(out).is_ok());
        // What a person or a model says may be Markdown itself, and is left out of this.
        message
            .content
            .retain(|block| !matches!(block, Block::Text { .. }));
        let mut out = Vec::new();
        markdown::write_message(&mut out, &message).unwrap();
        let text = String::from_utf8(out).unwrap();
        let starts = [
            "## ",
            "---",
            "**Thinking:**",
            "**Tool Call:** ",
            "**Tool Result** (error=",
            "**Image:** ",
            "**Other Block:** ",
            "*By a sub-agent.*",
            "*Put in by the agent.*",
            "*Taken back.*",
        ];
        let layout = only(&text, &starts);
        assert_eq!(
            layout.iter().filter(|line| line.starts_with("## ")).count(),
            1,
            "{text}"
        );
    }
}

/// The lines outside of fences, all of which start with one of these.
fn only<'t>(text: &'t str, starts: &[&str]) -> Vec<&'t str> {
    let mut outside = Vec::new();
    let mut fence: Option<usize> = None;
    // A carriage return ends a line in Markdown too.
    for line in text.split(['\n', '\r']) {
        let ticks = line
            .trim_start_matches(' ')
            .bytes()
            .take_while(|byte| *byte == b'`')
            .count();
        // With four spaces before it a fence is text and closes nothing.
        let indented = line.len() - line.trim_start_matches(' ').len() > 3;
        match fence {
            Some(length) => {
                let closes = ticks >= length && !indented && line.trim().len() == ticks;
                fence = fence.filter(|_| !closes);
            }
            None if ticks >= 3 => fence = Some(ticks),
            None => outside.push(line),
        }
    }
    assert_eq!(fence, None, "a fence is open at the end of {text}");
    for line in &outside {
        let known = line.is_empty() || starts.iter().any(|start| line.starts_with(start));
        assert!(known, "{line:?} stands outside of its fence in\n{text}");
    }
    outside
}
