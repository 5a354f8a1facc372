//! What tools answered, in a transcript: without the codes that coloured it, and folded.

use super::sheet::Sheet;
use crate::output::Style;
use scrollback::{Result, without_colours};

/// What stands before each line.
const BAR: &str = "│ ";

/// Prints an answer.
pub(crate) fn print(output: &str, is_error: bool, sheet: &mut Sheet<'_>) -> Result<()> {
    if is_error {
        let failed = sheet.out().paint(Style::Bad, "failed").into_owned();
        sheet.line(&format!("← {failed}"))?;
    }
    let output = without_colours(output);
    sheet.folded(BAR, Style::Dim, output.trim_end_matches(['\n', '\r']))
}
