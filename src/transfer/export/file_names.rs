//! Where an export puts its files: names that never meet, also where case does not count.
//!
//! Names that differ only in the case of their letters count as the same, and a file is never put
//! where a folder has to be. What comes second gets `~2` before its extension. Not looked at is
//! how a letter with an accent is spelled in Unicode, of which macOS takes all spellings for one.

use std::collections::HashMap;

/// Longest file name of common file systems, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// The paths that an export uses.
#[derive(Debug, Default)]
pub(super) struct Targets {
    taken: HashMap<Vec<u8>, Taken>,
}

/// What a path is used for.
#[derive(Clone, Copy, Debug)]
struct Taken {
    is_file: bool,
    /// The number to try next for another one of this name.
    next: u32,
}

impl Targets {
    /// Whether there is a file or folder at a path already.
    pub(super) fn is_taken(&self, wanted: &[Vec<u8>]) -> bool {
        let place = wanted
            .iter()
            .fold(Vec::new(), |place, name| key(&place, name));
        self.taken.contains_key(&place)
    }

    /// A path of its own for a file that is to be at `wanted`, name by name.
    pub(super) fn claim(&mut self, wanted: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut path: Vec<Vec<u8>> = Vec::new();
        let mut place = Vec::new();
        for (index, name) in wanted.iter().enumerate() {
            let is_file = index + 1 == wanted.len();
            let (name, key) = self.claim_name(&place, name, is_file);
            place = key;
            path.push(name);
        }
        path
    }

    /// A name of its own in the folder `place`, with its key. Folders are shared.
    fn claim_name(&mut self, place: &[u8], wanted: &[u8], is_file: bool) -> (Vec<u8>, Vec<u8>) {
        let first = key(place, wanted);
        let Some(taken) = self.taken.get(&first).copied() else {
            self.taken.insert(first.clone(), Taken { is_file, next: 2 });
            return (wanted.to_vec(), first);
        };
        if !is_file && !taken.is_file {
            return (wanted.to_vec(), first);
        }
        let mut number = taken.next;
        if !is_file {
            // Everything that has to go into this folder goes into the same one.
            number = 2;
        }
        loop {
            let name = numbered(wanted, number, is_file);
            let key = key(place, &name);
            number += 1;
            match self.taken.get(&key) {
                Some(other) if is_file || other.is_file => {}
                other => {
                    if other.is_none() {
                        self.taken.insert(key.clone(), Taken { is_file, next: 2 });
                    }
                    // Of many files that want one name, none tries the numbers of those before it
                    // again.
                    if is_file && let Some(taken) = self.taken.get_mut(&first) {
                        taken.next = number;
                    }
                    return (name, key);
                }
            }
        }
    }
}

/// What tells paths apart: their names without the case of their letters.
fn key(place: &[u8], name: &[u8]) -> Vec<u8> {
    let mut key = place.to_vec();
    key.push(b'/');
    for chunk in name.utf8_chunks() {
        key.extend(chunk.valid().to_lowercase().bytes());
        key.extend(chunk.invalid());
    }
    key
}

/// `name` with `~number`, before the extension of a file.
fn numbered(name: &[u8], number: u32, is_file: bool) -> Vec<u8> {
    let dot = name
        .iter()
        .rposition(|byte| *byte == b'.')
        .filter(|dot| is_file && *dot > 0);
    let (stem, extension) = dot
        .and_then(|dot| name.split_at_checked(dot))
        .unwrap_or((name, b""));
    let suffix = [format!("~{number}").as_bytes(), extension].concat();
    let mut stem_bytes = stem.len().min(NAME_BYTES_MAX.saturating_sub(suffix.len()));
    // A cut in the middle of a character would make another name of it.
    while stem_bytes > 0 && stem.get(stem_bytes).is_some_and(|byte| byte & 0xC0 == 0x80) {
        stem_bytes -= 1;
    }
    let mut result = stem.get(..stem_bytes).unwrap_or_default().to_vec();
    result.extend(suffix);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(targets: &mut Targets, path: &str) -> String {
        let wanted: Vec<Vec<u8>> = path
            .split('/')
            .map(|name| name.as_bytes().to_vec())
            .collect();
        String::from_utf8(targets.claim(&wanted).join(&b'/')).unwrap()
    }

    #[test]
    fn the_second_of_a_name_gets_a_number_before_its_extension() {
        let mut targets = Targets::default();
        assert_eq!(claim(&mut targets, "a/x.jsonl"), "a/x.jsonl");
        assert_eq!(claim(&mut targets, "a/x.jsonl"), "a/x~2.jsonl");
        assert_eq!(claim(&mut targets, "a/x.jsonl"), "a/x~3.jsonl");
        assert_eq!(claim(&mut targets, "a/x~2.jsonl"), "a/x~2~2.jsonl");
        assert_eq!(claim(&mut targets, "a/.hidden"), "a/.hidden");
        assert_eq!(claim(&mut targets, "a/.hidden"), "a/.hidden~2");
    }

    #[test]
    fn letters_of_another_case_are_the_same_name() {
        let mut targets = Targets::default();
        assert_eq!(claim(&mut targets, "a/Äx.jsonl"), "a/Äx.jsonl");
        assert_eq!(claim(&mut targets, "a/äX.jsonl"), "a/äX~2.jsonl");
    }

    #[test]
    fn a_file_and_a_folder_never_share_a_name() {
        let mut targets = Targets::default();
        assert_eq!(claim(&mut targets, "a"), "a");
        assert_eq!(claim(&mut targets, "a/b.jsonl"), "a~2/b.jsonl");
        assert_eq!(claim(&mut targets, "a/c.jsonl"), "a~2/c.jsonl");
        assert_eq!(claim(&mut targets, "d/e"), "d/e");
        assert_eq!(claim(&mut targets, "d"), "d~2");
        assert_eq!(claim(&mut targets, "a~2"), "a~2~2");
    }

    #[test]
    fn a_long_name_stays_a_name() {
        let mut targets = Targets::default();
        let long = "資".repeat(85);
        assert_eq!(claim(&mut targets, &long), long);
        let second = claim(&mut targets, &long);
        assert!(second.len() <= NAME_BYTES_MAX && second.ends_with("~2"));
    }
}
