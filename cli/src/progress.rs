//! Progress bars on standard error, on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};

use super::output::Output;
use std::ops::ControlFlow;

use scrollback::{Progress, Step};

/// What a bar shows.
const TEMPLATE: &str = "{wide_bar} {decimal_bytes} of {decimal_total_bytes}, \
                        {decimal_bytes_per_sec}, {eta} left {msg}";

/// What it shows where rows are counted.
const ROWS_TEMPLATE: &str = "{wide_bar} {human_pos} of {human_len} rows, {eta} left {msg}";

/// A bar while the total is known, a spinner until then; nothing at all on a pipe.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    step: Option<Step>,
}

impl Bar {
    /// A bar that is shown once something is known.
    pub(crate) fn new(out: &Output) -> Self {
        let bar = out.shows_progress().then(|| {
            let bar = ProgressBar::no_length();
            bar.set_style(style("{spinner} looking for files {elapsed}"));
            bar
        });
        Self { bar, step: None }
    }

    /// A spinner for a search.
    pub(crate) fn of_search() -> Self {
        let bar = ProgressBar::no_length();
        bar.set_style(style("{spinner} searching {elapsed}"));
        Self {
            bar: Some(bar),
            step: None,
        }
    }

    /// Shows how far a call is, and goes on. Each step begins at nothing.
    pub(crate) fn show(&mut self, progress: Progress) -> ControlFlow<()> {
        if let Some(bar) = &self.bar {
            if progress.total == 0 {
                bar.tick();
                return ControlFlow::Continue(());
            }
            if self.step != Some(progress.step) {
                self.step = Some(progress.step);
                let template = match progress.step {
                    Step::Copying => ROWS_TEMPLATE,
                    _ => TEMPLATE,
                };
                bar.set_style(style(template));
                // What was done before the first call took its time too, but nobody knows how long.
                bar.reset_eta();
            }
            match progress.step {
                Step::Transferring => {
                    let (files, files_total) = (progress.files, progress.files_total);
                    bar.set_message(format!("{files} of {files_total} files"));
                }
                Step::Copying => bar.set_message("copying"),
                Step::Verifying => bar.set_message("verifying"),
                Step::Indexing => bar.set_message("indexing"),
                Step::Rereading => bar.set_message("reading again"),
                _ => {}
            }
            bar.set_length(progress.total);
            bar.set_position(progress.done);
        }
        ControlFlow::Continue(())
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
        let folder = tempfile::tempdir().unwrap();
        let options = scrollback::Options::default();
        let store = scrollback::RedbStore::open(folder.path().join("s.redb"), options).unwrap();
        let report = store.verify(&mut |progress| bar.show(progress)).unwrap();
        assert!(report.is_clean());
        assert!(bar.bar.is_none());
        bar.finish();
        assert_eq!(stderr.text(), "");
    }
}
