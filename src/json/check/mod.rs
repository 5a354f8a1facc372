//! The check that text is one JSON value: one pass, exactly as strict as `serde_json`, which notes on
//! its way where long values end, so that nobody has to look for their ends again.
//!
//! Depth is no limit and costs a byte a level. What is noted is bounded, whatever the text is.

#[cfg(test)]
mod tests;

use super::scan;

/// Shorter values are not worth a note: their ends are found as fast.
const LONG_BYTES: u32 = 64;

/// Levels of containers in which ends are noted. Nobody asks for more of a line.
const LEVELS: usize = 8;

/// Most ends that are noted of a text; those of other values are looked for when they are wanted.
const NOTES_MAX: usize = 16 * 1024;

/// Room for notes of where the long values of a text end. Used again for text after text.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// In the order of the values' starts.
    notes: Vec<Note>,
    /// The containers that are open: whether each is an object.
    open: Vec<bool>,
}

/// Where a long value ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    /// Where it starts.
    pub start: u32,
    /// Behind its last byte.
    pub end: u32,
    /// How many of the notes that follow are of values in it.
    pub inner: u32,
}

/// What a check has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    /// Where the value starts: there may be white space before it.
    pub start: usize,
    /// Behind it.
    pub end: usize,
    /// Whether it holds an escape that is half of a surrogate pair without the other half.
    pub has_lone_surrogate: bool,
}

impl Ends {
    /// Checks a text, and notes ends. `None` if it is not one JSON value, or of 4 GiB.
    pub(super) fn check(&mut self, text: &str) -> Option<Checked> {
        self.check_noting(text, NOTES_MAX)
    }

    /// What was noted of the text that was checked last.
    pub(super) fn notes(&self) -> &[Note] {
        &self.notes
    }

    fn check_noting(&mut self, text: &str, notes_max: usize) -> Option<Checked> {
        // Places in notes have 32 bits.
        u32::try_from(text.len()).ok()?;
        self.notes.clear();
        self.open.clear();
        let mut check = Check {
            bytes: text.as_bytes(),
            at: 0,
            has_lone_surrogate: false,
            noted: [0; LEVELS],
            notes_max,
            ends: self,
        };
        check.skip_white_space();
        let start = check.at;
        check.value()?;
        let end = check.at;
        check.skip_white_space();
        (check.at == text.len()).then_some(Checked {
            start,
            end,
            has_lone_surrogate: check.has_lone_surrogate,
        })
    }
}

/// Checks a text without notes.
pub(super) fn check(text: &str) -> Option<Checked> {
    Ends::default().check_noting(text, 0)
}

/// A check on its way.
struct Check<'t> {
    bytes: &'t [u8],
    at: usize,
    has_lone_surrogate: bool,
    /// The places of the notes of the open containers.
    noted: [usize; LEVELS],
    notes_max: usize,
    ends: &'t mut Ends,
}

impl Check<'_> {
    /// One value, and everything in it.
    fn value(&mut self) -> Option<()> {
        // A loop and no recursion: a text may be nested as deep as it is long, and the stack is
        // not.
        loop {
            match *self.bytes.get(self.at)? {
                b'"' => self.noted_string()?,
                b'{' => {
                    self.enter(true);
                    if self.next()? != b'}' {
                        self.key()?;
                        continue;
                    }
                    self.leave();
                }
                b'[' => {
                    self.enter(false);
                    if self.next()? != b']' {
                        continue;
                    }
                    self.leave();
                }
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => self.number()?,
            }
            if !self.goes_on()? {
                return Some(());
            }
        }
    }

    /// From the end of a value to the start of the next one; false if everything is closed.
    fn goes_on(&mut self) -> Option<bool> {
        while let Some(is_object) = self.ends.open.last().copied() {
            match (self.next()?, is_object) {
                (b',', _) => {
                    self.at += 1;
                    self.next()?;
                    if is_object {
                        self.key()?;
                    }
                    return Some(true);
                }
                (b'}', true) | (b']', false) => self.leave(),
                _ => return None,
            }
        }
        Some(false)
    }

    /// A key and its colon, up to the value.
    fn key(&mut self) -> Option<()> {
        if *self.bytes.get(self.at)? != b'"' {
            return None;
        }
        self.string()?;
        if self.next()? != b':' {
            return None;
        }
        self.at += 1;
        self.next().map(drop)
    }

    /// The next byte that is not white space; it is not passed.
    fn next(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        if byte > b' ' {
            return Some(byte);
        }
        self.skip_white_space();
        self.bytes.get(self.at).copied()
    }

    fn skip_white_space(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|byte| is_white(**byte)).count();
    }

    /// Passes a bracket that opens.
    fn enter(&mut self, is_object: bool) {
        if let Some(noted) = self.noted.get_mut(self.ends.open.len()) {
            *noted = self.ends.notes.len();
            self.note(self.at);
        }
        self.ends.open.push(is_object);
        self.at += 1;
    }

    /// Passes the bracket that closes.
    fn leave(&mut self) {
        self.at += 1;
        self.ends.open.pop();
        let noted = self.noted.get(self.ends.open.len()).copied();
        let notes = &mut self.ends.notes;
        let count = notes.len();
        // There is no note of it below the last level, nor behind the last of so many.
        let Some((noted, note)) = noted.and_then(|at| Some((at, notes.get_mut(at)?))) else {
            return;
        };
        note.end = place(self.at);
        note.inner = place(count - noted - 1);
        if note.end - note.start < LONG_BYTES {
            // What is in it is short, too.
            notes.truncate(noted);
        }
    }

    /// Notes a value that starts at `start` and ends here.
    fn note(&mut self, start: usize) {
        if self.ends.notes.len() < self.notes_max {
            self.ends.notes.push(Note {
                start: place(start),
                end: place(self.at),
                inner: 0,
            });
        }
    }

    fn noted_string(&mut self) -> Option<()> {
        let start = self.at;
        self.string()?;
        if place(self.at - start) >= LONG_BYTES && self.ends.open.len() <= LEVELS {
            self.note(start);
        }
        Some(())
    }

    /// A string, from its quote on.
    fn string(&mut self) -> Option<()> {
        let mut at = self.at + 1;
        loop {
            match scan::stop(self.bytes, at)? {
                (quote, b'"') => {
                    self.at = quote + 1;
                    return Some(());
                }
                (backslash, b'\\') => at = self.escape(backslash)?,
                _ => return None,
            }
        }
    }

    /// Behind the escape at a backslash.
    #[inline]
    fn escape(&mut self, at: usize) -> Option<usize> {
        let letter = *self.bytes.get(at + 1)?;
        if matches!(
            letter,
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'
        ) {
            return Some(at + 2);
        }
        self.escaped_unit(at)
    }

    /// Behind `\u` and four digits, and the other half if that is half of a pair.
    fn escaped_unit(&mut self, at: usize) -> Option<usize> {
        let end = at + 6;
        match unit(self.bytes, at)? {
            0xd800..=0xdbff => {
                if let Some(0xdc00..=0xdfff) = unit(self.bytes, end) {
                    return Some(end + 6);
                }
                self.has_lone_surrogate = true;
            }
            0xdc00..=0xdfff => self.has_lone_surrogate = true,
            _ => {}
        }
        Some(end)
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        self.at += word.len();
        rest.starts_with(word).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        self.skip(|byte| byte == b'-');
        let starts_with_zero = self.bytes.get(self.at) == Some(&b'0');
        match self.digits() {
            0 => return None,
            1 => {}
            // JSON has no zeros before a number.
            _ if starts_with_zero => return None,
            _ => {}
        }
        if self.skip(|byte| byte == b'.') && self.digits() == 0 {
            return None;
        }
        if self.skip(|byte| matches!(byte, b'e' | b'E')) {
            self.skip(|byte| matches!(byte, b'+' | b'-'));
            if self.digits() == 0 {
                return None;
            }
        }
        Some(())
    }

    /// Passes one byte, if it is of that kind.
    fn skip(&mut self, is_it: impl FnOnce(u8) -> bool) -> bool {
        let is_it = self.bytes.get(self.at).copied().is_some_and(is_it);
        self.at += usize::from(is_it);
        is_it
    }

    /// Passes digits, and says how many there were.
    fn digits(&mut self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        digits
    }
}

/// The number of the escape at `at`: `\u` and four hex digits.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..)?.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    digits.iter().try_fold(0, |number, digit| {
        Some(number * 16 + char::from(*digit).to_digit(16)?)
    })
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// A place in a text of less than 4 GiB.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
