//! Text such as sessions hold: sentences, source files that are read again and again, tool output.

use super::random::Random;

/// Words of sentences and names, the frequent ones first.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    words: Vec<String>,
}

impl Vocabulary {
    /// 4,096 words, the same ones each time.
    pub(crate) fn new() -> Self {
        const PARTS: [&str; 32] = [
            "ta", "re", "in", "so", "lo", "ver", "con", "da", "mi", "per", "st", "al", "no", "ri",
            "te", "ma", "cu", "ber", "lin", "pro", "ex", "um", "sa", "fi", "ge", "ho", "ck", "wa",
            "by", "el", "tri", "os",
        ];
        let mut random = Random::new(7);
        let words = (0..4096_usize)
            .map(|place| {
                let parts = 1 + place.checked_ilog2().unwrap_or(0) as usize / 5 + random.below(2);
                (0..parts).map(|_| random.pick(&PARTS)).collect()
            })
            .collect();
        Self { words }
    }

    /// A word; frequent ones more often.
    pub(crate) fn word(&self, random: &mut Random) -> &str {
        let place = random
            .zipf(self.words.len())
            .max(random.zipf(self.words.len()));
        self.words.get(place).map_or("a", String::as_str)
    }

    /// Sentences of about so many bytes.
    pub(crate) fn prose(&self, random: &mut Random, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 16);
        while text.len() < bytes {
            for _ in 0..random.between(4, 14) {
                text.push_str(self.word(random));
                text.push(' ');
            }
            text.pop();
            text.push_str(if random.percent(15) { ".\n\n" } else { ". " });
        }
        text
    }
}

/// A folder that agents work in: a few source files, read in many sessions.
#[derive(Debug)]
pub(crate) struct Project {
    /// Its path.
    pub(crate) folder: String,
    files: Vec<(String, Vec<String>)>,
}

impl Project {
    /// The project of that number, the same one each time.
    pub(crate) fn new(number: usize, vocabulary: &Vocabulary) -> Self {
        let mut random = Random::new(1_000 + number as u64);
        let folder = format!("/home/ada/code/{}{number}", vocabulary.word(&mut random));
        let files = (0..160)
            .map(|_| {
                let path = format!(
                    "{folder}/src/{}/{}.rs",
                    vocabulary.word(&mut random),
                    vocabulary.word(&mut random)
                );
                let lines = random.between(40, 600);
                (
                    path,
                    (0..lines)
                        .map(|_| code_line(vocabulary, &mut random))
                        .collect(),
                )
            })
            .collect();
        Self { folder, files }
    }

    /// Some lines of one of the files, of about so many bytes, and the file's path.
    pub(crate) fn excerpt(&self, random: &mut Random, bytes: usize) -> (&str, String) {
        let mut text = String::with_capacity(bytes + 80);
        let Some((path, lines)) = self.files.get(random.below(self.files.len())) else {
            return ("", text);
        };
        let first = random.below(lines.len());
        for line in lines.iter().cycle().skip(first) {
            if text.len() >= bytes {
                break;
            }
            text.push_str(line);
            text.push('\n');
        }
        (path, text)
    }

    /// What a command printed, of about so many bytes.
    pub(crate) fn output(
        &self,
        vocabulary: &Vocabulary,
        random: &mut Random,
        bytes: usize,
    ) -> String {
        let mut text = String::with_capacity(bytes + 80);
        let kind = random.below(3);
        while text.len() < bytes {
            let file = self
                .files
                .get(random.zipf(self.files.len()))
                .map_or("", |(path, _)| path);
            match kind {
                0 => {
                    text.push_str("test ");
                    text.push_str(vocabulary.word(random));
                    text.push_str("::tests::");
                    text.push_str(vocabulary.word(random));
                    text.push('_');
                    text.push_str(vocabulary.word(random));
                    text.push_str(" ... ok\n");
                }
                1 => {
                    text.push_str(file);
                    text.push_str(":12:    ");
                    text.push_str(&code_line(vocabulary, random));
                    text.push('\n');
                }
                _ => {
                    let size = random.below(90_000);
                    text.push_str("-rw-r--r-- 1 ada ada ");
                    text.push_str(&size.to_string());
                    text.push_str(" Jun 12 ");
                    text.push_str(file);
                    text.push('\n');
                }
            }
        }
        text
    }
}

fn code_line(vocabulary: &Vocabulary, random: &mut Random) -> String {
    let indent = "    ".repeat(random.below(4));
    let (a, b, c) = (
        vocabulary.word(random),
        vocabulary.word(random),
        vocabulary.word(random),
    );
    match random.below(7) {
        0 => format!("{indent}let {a} = {b}.{c}(&self.{a});"),
        1 => format!("{indent}pub fn {a}_{b}(&self, {c}: u64) -> Result<Option<{a}>> {{"),
        2 => format!(
            "{indent}if {a}.is_empty() || {b} > {} {{",
            random.below(100)
        ),
        3 => format!("{indent}}}"),
        4 => format!("{indent}/// The {a} of a {b}, in {c}."),
        5 => format!("{indent}assert_eq!({a}.{b}(), \"{c}\");"),
        _ => String::new(),
    }
}

/// A length for a text: half are under 600 bytes, one in a hundred is over 25,000.
pub(crate) fn length(random: &mut Random) -> usize {
    match random.below(100) {
        0 => random.between(25_000, 60_000),
        1..=6 => random.between(8_000, 25_000),
        7..=21 => random.between(2_000, 8_000),
        22..=49 => random.between(600, 2_000),
        _ => random.between(30, 600),
    }
}

/// Appends a JSON string, quotes included.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escaped = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\t' => "\\t",
            _ => continue,
        };
        out.push_str(text.get(plain..at).unwrap_or_default());
        out.push_str(escaped);
        plain = at + 1;
    }
    out.push_str(text.get(plain..).unwrap_or_default());
    out.push('"');
}
