//! A tool call in a transcript: by what it does, with the lines that belong to it.

use super::sheet::Sheet;
use crate::output::Style;
use crate::wrap::one_line;
use scrollback::{Call, DiffLine, RawJson, Result};

/// Bytes of an argument that are looked at where it has to be on one line.
const ARGUMENT_BYTES_SHOWN: usize = 2000;
/// What stands before the lines that belong to a call.
const INNER: &str = "  ";

/// Prints a call.
pub(crate) fn print(
    name: &str,
    input: Option<&RawJson>,
    is_whole: bool,
    sheet: &mut Sheet<'_>,
) -> Result<()> {
    let call = Call::of(input);
    match &call {
        Call::Run { command } => print_command(command, sheet),
        Call::Edit { lines, .. } => {
            sheet.note(Style::Code, &call.headline(name))?;
            sheet.folded_lines(INNER, lines.iter().map(of_diff))
        }
        Call::Write { content, .. } => {
            sheet.note(Style::Code, &call.headline(name))?;
            sheet.folded_lines(
                INNER,
                content.lines().map(|line| (Style::Added, "+ ", line)),
            )
        }
        Call::Task { prompt, .. } => {
            sheet.note(Style::Code, &call.headline(name))?;
            sheet.folded(INNER, Style::Dim, prompt)
        }
        Call::Plan { steps } => {
            sheet.note(Style::Code, &call.headline(name))?;
            let steps = steps.iter().map(|step| {
                let style = if step.is_done() {
                    Style::Dim
                } else {
                    Style::Plain
                };
                (style, step.sign(), step.text.as_str())
            });
            sheet.folded_lines(INNER, steps)
        }
        Call::Other { arguments } if is_whole => {
            sheet.note(Style::Code, &format!("→ {name}"))?;
            arguments.iter().try_for_each(|(argument, value)| {
                sheet.text(INNER, Style::Plain, &format!("{argument}: {value}"))
            })
        }
        Call::Other { .. } => {
            let line = call.headline(name);
            sheet.note(
                Style::Code,
                &format!("→ {}", one_line(&line, ARGUMENT_BYTES_SHOWN)),
            )
        }
        _ => sheet.note(Style::Code, &format!("→ {}", call.headline(name))),
    }
}

fn print_command(command: &str, sheet: &mut Sheet<'_>) -> Result<()> {
    let lines = command.trim_end().lines().enumerate();
    let lines = lines.map(|(at, line)| (Style::Code, if at == 0 { "$ " } else { "  " }, line));
    sheet.folded_lines("", lines)
}

fn of_diff(line: &DiffLine) -> (Style, &'static str, &str) {
    match line {
        DiffLine::Removed(text) => (Style::Removed, "- ", text),
        DiffLine::Added(text) => (Style::Added, "+ ", text),
        DiffLine::Place(text) => (Style::Dim, "", text),
        DiffLine::Kept(text) => (Style::Dim, "  ", text),
        _ => (Style::Dim, "  ", ""),
    }
}
