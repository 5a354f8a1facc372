//! The only writer of the tool: data goes to standard output, everything else to standard error.
//!
//! - Text from sessions is escaped on a terminal and byte-exact on a pipe. What is passed to
//!   [`Output::line`] is printed as it is, so such text goes through [`Output::field`] or
//!   [`escape::body`] first.
//! - Colour is used on a terminal only, and not with `NO_COLOR`.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufWriter, IsTerminal as _, Write};

use serde::Serialize;

use super::escape::{self, EscapingWriter};
use super::pager::{Pager, PagerChoice};
use super::times::Zone;
use scrollback::{Error, Result};

/// How a piece of text is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// As it is.
    Plain,
    /// Titles.
    Strong,
    /// What matters less.
    Dim,
    /// What the person said.
    User,
    /// What the model said.
    Assistant,
    /// What was searched for.
    Match,
    /// What went wrong.
    Bad,
    /// What is said with weight.
    Emphasis,
    /// Code, commands, names.
    Code,
    /// Where a link leads.
    Link,
    /// Lines that come.
    Added,
    /// Lines that go.
    Removed,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Dim => "2",
            Self::User => "1;36",
            Self::Assistant => "1;32",
            Self::Match => "1;33",
            Self::Bad => "1;31",
            Self::Emphasis => "3",
            Self::Code => "36",
            Self::Link => "4",
            Self::Added => "32",
            Self::Removed => "31",
        }
    }
}

/// What standard output and standard error are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Streams {
    /// Standard output is a terminal.
    pub stdout_terminal: bool,
    /// Standard error is a terminal.
    pub stderr_terminal: bool,
    /// `NO_COLOR` is set.
    pub no_colour: bool,
    /// Columns of the terminal.
    pub columns: Option<usize>,
    /// Times are those of the clock on the wall.
    pub local_time: bool,
    /// What shows long output.
    pub pager: PagerChoice,
}

impl Streams {
    /// Those of the process.
    pub(crate) fn of_process() -> Self {
        Self {
            stdout_terminal: io::stdout().is_terminal(),
            stderr_terminal: io::stderr().is_terminal(),
            no_colour: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            columns: terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
            local_time: io::stdout().is_terminal(),
            // A pager asks for keys, so somebody has to be there.
            pager: if io::stdout().is_terminal() && io::stdin().is_terminal() {
                PagerChoice::of(std::env::var_os("PAGER"))
            } else {
                PagerChoice::None
            },
        }
    }
}

/// Where a command prints.
pub(crate) struct Output {
    stdout: BufWriter<Box<dyn Write>>,
    stderr: Box<dyn Write>,
    streams: Streams,
    json: bool,
    /// All that is painted matters less.
    is_dimmed: bool,
    pager: Option<Pager>,
    /// Lines for standard error that wait until the pager has ended, which has the screen.
    held: Vec<String>,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("streams", &self.streams)
            .field("json", &self.json)
            .finish_non_exhaustive()
    }
}

impl Output {
    /// The process's own streams.
    pub(crate) fn of_process(json: bool) -> Self {
        let (stdout, stderr) = (Box::new(io::stdout()), Box::new(io::stderr()));
        Self::new(stdout, stderr, Streams::of_process(), json)
    }

    /// Any streams.
    pub(crate) fn new(
        stdout: Box<dyn Write>,
        stderr: Box<dyn Write>,
        streams: Streams,
        json: bool,
    ) -> Self {
        Self {
            stdout: BufWriter::with_capacity(64 * 1024, stdout),
            stderr,
            streams,
            json,
            is_dimmed: false,
            pager: None,
            held: Vec::new(),
        }
    }

    /// The same without a pager.
    pub(crate) fn without_pager(mut self) -> Self {
        self.streams.pager = PagerChoice::None;
        self
    }

    /// Lets a pager show all data from here on, if a person reads it on a terminal: for commands that print much.
    pub(crate) fn page(&mut self) {
        if self.json || self.pager.is_some() {
            return;
        }
        drop(self.stdout.flush());
        if let Some((pager, stdin)) = Pager::start(&self.streams.pager) {
            self.pager = Some(pager);
            self.stdout = BufWriter::with_capacity(64 * 1024, Box::new(stdin));
        }
    }

    /// Hands everything over, and waits for the pager, if there is one; then tells what has waited for that.
    pub(crate) fn end_page(&mut self) -> Result<()> {
        let flushed = self.flush();
        if let Some(pager) = self.pager.take() {
            self.stdout = BufWriter::new(Box::new(io::stdout()));
            pager.wait();
        }
        for line in std::mem::take(&mut self.held) {
            self.tell(&line);
        }
        flushed
    }

    /// Whether all that is painted from now on matters less.
    pub(crate) fn dim(&mut self, is_dimmed: bool) {
        self.is_dimmed = is_dimmed;
    }

    /// Whether to print JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether data is printed to a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.streams.stdout_terminal
    }

    /// Whether to draw a progress bar.
    pub(crate) fn shows_progress(&self) -> bool {
        self.streams.stderr_terminal
    }

    /// In which zone people are told times.
    pub(crate) fn zone(&self) -> Zone {
        if self.streams.local_time {
            Zone::Local
        } else {
            Zone::Utc
        }
    }

    /// Columns that a line may have; `None` on a pipe.
    pub(crate) fn columns(&self) -> Option<usize> {
        self.is_terminal()
            .then(|| self.streams.columns.unwrap_or(80).max(40))
    }

    /// Text from a session that has to stay on its line.
    pub(crate) fn field<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.is_terminal() {
            escape::field(text)
        } else {
            Cow::Borrowed(text)
        }
    }

    /// The text in a style, where there is colour.
    pub(crate) fn paint<'a>(&self, style: Style, text: &'a str) -> Cow<'a, str> {
        let style = if self.is_dimmed { Style::Dim } else { style };
        paint(self.is_terminal() && !self.streams.no_colour, style, text)
    }

    /// Prints a line of data.
    pub(crate) fn line(&mut self, line: &str) -> Result<()> {
        writeln!(self.stdout, "{line}").map_err(failed)
    }

    /// Prints a value as one line of JSON.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(value).map_err(|error| Error::InvalidJson {
            reason: error.to_string(),
        })?;
        let text = if self.is_terminal() {
            escape::json(&text)
        } else {
            Cow::Borrowed(&*text)
        };
        writeln!(self.stdout, "{text}").map_err(failed)
    }

    /// Lets `write` print bytes: as they are on a pipe, escaped on a terminal.
    pub(crate) fn bytes<T>(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> Result<T>,
    ) -> Result<T> {
        if !self.is_terminal() {
            return write(&mut self.stdout);
        }
        let mut escaping = EscapingWriter::new(&mut self.stdout);
        let done = write(&mut escaping)?;
        escaping.finish().map_err(failed)?;
        Ok(done)
    }

    /// Prints bytes that are all there: as they are on a pipe, escaped on a terminal.
    pub(crate) fn all_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes(|out| out.write_all(bytes).map_err(failed))
    }

    /// Prints a line of notice on standard error. That it cannot be printed changes nothing.
    pub(crate) fn notice(&mut self, line: &str) {
        let line = if self.streams.stderr_terminal {
            escape::body(line)
        } else {
            line.into()
        };
        self.tell(&line);
    }

    /// Prints an error on standard error: the word, then what happened.
    pub(crate) fn error(&mut self, text: &str) {
        let coloured = self.streams.stderr_terminal && !self.streams.no_colour;
        let text = if self.streams.stderr_terminal {
            escape::field(text)
        } else {
            text.into()
        };
        let word = paint(coloured, Style::Bad, "error:");
        self.tell(&format!("{word} {text}"));
    }

    /// Prints an error on standard error, as one line of JSON.
    pub(crate) fn json_error(&mut self, value: &impl Serialize) {
        let text = serde_json::to_string(value).unwrap_or_default();
        let text = if self.streams.stderr_terminal {
            escape::json(&text)
        } else {
            Cow::Borrowed(&*text)
        };
        self.tell(&text);
    }

    /// Prints a line on standard error that is ready: now, or once the pager has ended.
    fn tell(&mut self, line: &str) {
        if self.pager.is_some() {
            self.held.push(line.to_owned());
            return;
        }
        // The data before it comes first where both go to one terminal.
        drop(self.stdout.flush());
        drop(writeln!(self.stderr, "{line}"));
    }

    /// Hands everything over to the system.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.stdout.flush().map_err(failed)
    }
}

fn paint(coloured: bool, style: Style, text: &str) -> Cow<'_, str> {
    if !coloured || style == Style::Plain || text.is_empty() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("\x1b[{}m{text}\x1b[0m", style.code()))
}

fn failed(source: io::Error) -> Error {
    Error::Output { source }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A stream that a test can read afterwards.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Captured {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// An output whose two streams can be read.
    pub(crate) fn captured(terminal: bool, json: bool) -> (Output, Captured, Captured) {
        captured_at(terminal.then_some(80), json)
    }

    /// The same on a terminal of so many columns.
    pub(crate) fn captured_at(columns: Option<usize>, json: bool) -> (Output, Captured, Captured) {
        let terminal = columns.is_some();
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let streams = Streams {
            stdout_terminal: terminal,
            stderr_terminal: terminal,
            no_colour: true,
            columns,
            local_time: false,
            pager: PagerChoice::None,
        };
        let out = Output::new(
            Box::new(stdout.clone()),
            Box::new(stderr.clone()),
            streams,
            json,
        );
        (out, stdout, stderr)
    }

    const EVIL: &str = "a\x1b]0;x\x07\rb\u{202e}";

    #[test]
    fn a_terminal_gets_escaped_text_and_a_pipe_the_bytes() {
        for (terminal, expected) in [
            (true, "a\\x1b]0;x\\x07\\rb\\u{202e}\n"),
            (false, "a\x1b]0;x\x07\rb\u{202e}\n"),
        ] {
            let (mut out, stdout, _) = captured(terminal, false);
            out.bytes(|writer| writeln!(writer, "{EVIL}").map_err(failed))
                .unwrap();
            out.bytes(|writer| writer.write_all(EVIL.as_bytes()).map_err(failed))
                .unwrap();
            out.flush().unwrap();
            assert_eq!(stdout.text(), format!("{expected}{}", expected.trim_end()));
        }
    }

    #[test]
    fn json_and_messages_are_escaped_on_a_terminal() {
        let (mut out, stdout, stderr) = captured(true, true);
        out.json_line(&serde_json::json!({ "title": "\u{9b}2J\u{202e}" }))
            .unwrap();
        out.error(EVIL);
        out.notice(EVIL);
        assert_eq!(stdout.text(), "{\"title\":\"\\u009b2J\\u202e\"}\n");
        let escaped = "a\\x1b]0;x\\x07\\rb\\u{202e}\n";
        assert_eq!(stderr.text(), format!("error: {escaped}{escaped}"));
    }

    #[test]
    fn what_is_told_waits_until_the_pager_has_ended() {
        let (mut out, _, stderr) = captured(false, false);
        out.streams.pager = PagerChoice::Command("true".into());
        out.page();
        out.notice("noticed");
        out.error("failed");
        assert_eq!(stderr.text(), "");
        out.end_page().unwrap();
        assert_eq!(stderr.text(), "noticed\nerror: failed\n");
    }

    #[test]
    fn colour_needs_a_terminal_and_no_objection() {
        assert_eq!(paint(true, Style::Dim, "x"), "\x1b[2mx\x1b[0m");
        let (out, _, _) = captured(true, false);
        assert_eq!(out.paint(Style::Dim, "x"), "x");
    }
}
