//! Progress bars on standard error, on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};

use super::output::Output;
use scrollback::{CopyProgress, CopyStep, Progress};

/// What a bar shows.
const TEMPLATE: &str = "{wide_bar} {decimal_bytes} of {decimal_total_bytes}, \
                        {decimal_bytes_per_sec}, {eta} left {msg}";

/// What it shows where rows are counted.
const ROWS_TEMPLATE: &str = "{wide_bar} {human_pos} of {human_len} rows, {eta} left {msg}";

/// A bar while the total is known, a spinner until then; nothing at all on a pipe.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    measured: bool,
}

impl Bar {
    /// A bar that is shown once something is known.
    pub(crate) fn new(out: &Output) -> Self {
        let bar = out.shows_progress().then(|| {
            let bar = ProgressBar::no_length();
            bar.set_style(style("{spinner} looking for files {elapsed}"));
            bar
        });
        Self {
            bar,
            measured: false,
        }
    }

    /// Shows how far a transfer is.
    pub(crate) fn show(&mut self, progress: Progress) {
        self.show_bytes(progress.bytes, progress.bytes_total);
        if let Some(bar) = self.bar.as_ref().filter(|_| self.measured) {
            bar.set_message(format!(
                "{} of {} files",
                progress.files, progress.files_total
            ));
        }
    }

    /// Shows how many bytes of how many are done.
    pub(crate) fn show_bytes(&mut self, bytes: u64, total: u64) {
        let Some(bar) = &self.bar else { return };
        if total == 0 {
            bar.tick();
            return;
        }
        bar.set_length(total);
        bar.set_position(bytes);
        if !self.measured {
            self.measured = true;
            bar.set_style(style(TEMPLATE));
            // What was done before the first call took its time too, but nobody knows how long.
            bar.reset_eta();
        }
    }

    /// Shows how far a backup or a restore is. Each step begins at nothing.
    pub(crate) fn show_copy(&mut self, progress: CopyProgress) {
        let (template, said) = match progress.step {
            CopyStep::Copying => (ROWS_TEMPLATE, "copying"),
            CopyStep::Verifying => (TEMPLATE, "verifying"),
        };
        let Some(bar) = &self.bar else { return };
        if bar.message() != said {
            bar.set_style(style(template));
            bar.set_message(said);
            bar.reset_eta();
        }
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::super::output::tests::captured;
    use super::*;

    #[test]
    fn a_pipe_gets_no_bar() {
        let (out, _, stderr) = captured(false, false);
        let mut bar = Bar::new(&out);
        bar.show(Progress {
            files: 1,
            files_total: 2,
            bytes: 3,
            bytes_total: 4,
        });
        assert!(bar.bar.is_none());
        bar.finish();
        assert_eq!(stderr.text(), "");
    }
}
