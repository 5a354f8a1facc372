//! Parts of attachments: each is packed alone, and cut where its packed form fills a page.
//!
//! The body of a part is `[last u8][method u8][length u32][data]`: the data is compressed with zstd
//! (method 1) or stored, and `length` is that of the unpacked data. A segment is compressed once
//! and then cut; a part of an attachment is read by itself, so where to cut has to be found: by the
//! share to which the content packs.

use super::row::{FRAME_BYTES, RowError};
use super::segment;
use super::{packer, parts};

/// Most bytes of a file in one part.
pub(crate) const PART_BYTES: usize = 256 * 1024;

/// Bytes of a part's body before its data.
const HEAD_BYTES: usize = 6;

/// Cuts the content of one attachment into parts.
pub(crate) struct Cutter {
    /// Bytes of a row that are not the part's data.
    frame: usize,
    /// The length of the part before, and the bytes that it packed to.
    before: Option<(usize, usize)>,
}

/// A part: how many bytes of the content are in it, and what they pack to, if that is less.
struct Packed {
    length: usize,
    data: Option<Vec<u8>>,
}

impl Packed {
    /// Bytes of its data.
    fn bytes(&self) -> usize {
        self.data.as_ref().map_or(self.length, Vec::len)
    }
}

impl Cutter {
    /// A cutter of the attachment of that name.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            frame: FRAME_BYTES + HEAD_BYTES + name.len(),
            before: None,
        }
    }

    /// The next part of a content that goes on with `rest`, and is over behind it if `at_end`: how
    /// many bytes of `rest` it holds, and its body.
    pub(crate) fn next(&mut self, rest: &[u8], at_end: bool) -> (usize, Vec<u8>) {
        let rest = rest.get(..PART_BYTES).unwrap_or(rest);
        let part = self.cut(rest);
        self.before = Some((part.length, part.bytes()));
        let is_last = at_end && part.length == rest.len();
        let mut body = Vec::with_capacity(HEAD_BYTES + part.bytes());
        body.extend_from_slice(&[u8::from(is_last), u8::from(part.data.is_some())]);
        // A part is at most `PART_BYTES` long.
        let length = u32::try_from(part.length).unwrap_or(u32::MAX);
        body.extend_from_slice(&length.to_le_bytes());
        match &part.data {
            Some(data) => body.extend_from_slice(data),
            None => body.extend(rest.iter().take(part.length)),
        }
        (part.length, body)
    }

    /// The part that begins a content: as much of it as fills a page. A second length is tried once:
    /// packing takes most of the time that an attachment takes.
    fn cut(&self, rest: &[u8]) -> Packed {
        // Most parts of a file pack alike.
        let (length, _) = self.before.map_or((rest.len(), 0), |before| {
            self.length_that_fills(rest.len(), before)
        });
        let first = pack(rest, length);
        let bytes = first.bytes();
        // What does not pack is cut where its own bytes fill pages.
        if first.data.is_none() {
            return Packed {
                length: parts::next_length(bytes, self.frame),
                data: None,
            };
        }
        let is_small = length == rest.len() && parts::next_length(bytes, self.frame) == bytes;
        if is_small || parts::fills_pages(bytes, self.frame) {
            return first;
        }
        let (length, room) = self.length_that_fills(rest.len(), (first.length, bytes));
        let second = pack(rest, length);
        if second.bytes() <= room {
            second
        } else {
            first
        }
    }

    /// How much of `whole` bytes fills pages, and the room in them, if it packs as a part did that
    /// was `length` bytes long and packed to `bytes`.
    fn length_that_fills(&self, whole: usize, (length, bytes): (usize, usize)) -> (usize, usize) {
        let all = whole * bytes / length.max(1);
        let room = parts::next_length(all, self.frame);
        if room >= all || parts::fills_pages(all, self.frame) {
            return (whole, room);
        }
        // A little less: what packs somewhat worse than the part before has to fit as well.
        let aim = room - room / 32;
        ((whole * aim / all).clamp(1, whole), room)
    }
}

/// Packs the first bytes of a content.
fn pack(rest: &[u8], length: usize) -> Packed {
    let raw = rest.get(..length).unwrap_or(rest);
    Packed {
        length: raw.len(),
        data: packer::compress(raw, |packed| packed.map(<[u8]>::to_vec)),
    }
}

/// Reads the body of a part: whether it is the last one, and its data.
pub(crate) fn open(body: &[u8]) -> Result<(bool, Vec<u8>), RowError> {
    let [is_last, method, a, b, c, d, data @ ..] = body else {
        return Err(RowError("the part is too short".to_owned()));
    };
    let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
    // Before anything is unpacked: a few bytes may claim to be gigabytes.
    if length > PART_BYTES {
        return Err(RowError(format!("a part that unpacks to {length} bytes")));
    }
    let data = match method {
        0 => data.to_vec(),
        1 => segment::decompress(data, length)
            .map_err(|error| RowError(format!("does not unpack: {error}")))?,
        other => return Err(RowError(format!("unknown method {other}"))),
    };
    if data.len() == length {
        Ok((*is_last != 0, data))
    } else {
        Err(RowError(format!("{} bytes, expected {length}", data.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text that packs to about a fourth, or noise.
    fn content(bytes: usize, is_text: bool) -> Vec<u8> {
        let mut text = Vec::new();
        let mut at = 0_u64;
        while text.len() < bytes {
            let hash = xxhash_rust::xxh3::xxh3_64(&at.to_le_bytes());
            if is_text {
                text.extend_from_slice(format!("line {at}: {:?}, done\n", hash % 999).as_bytes());
            } else {
                text.extend_from_slice(&hash.to_le_bytes());
            }
            at += 1;
        }
        text.truncate(bytes);
        text
    }

    /// The bodies of an attachment's parts.
    fn cut(content: &[u8]) -> Vec<Vec<u8>> {
        let mut cutter = Cutter::new("name");
        let (mut bodies, mut rest) = (Vec::new(), content);
        loop {
            let (length, body) = cutter.next(rest, rest.len() <= PART_BYTES);
            rest = &rest[length..];
            bodies.push(body);
            if rest.is_empty() {
                return bodies;
            }
        }
    }

    #[test]
    fn parts_hold_the_content_and_fill_pages() {
        for bytes in [0, 1, 3_000, 40_000, 262_144, 262_145, 700_000, 3_000_000] {
            for is_text in [true, false] {
                let content = content(bytes, is_text);
                let bodies = cut(&content);
                let opened = bodies.iter().map(|body| open(body).unwrap());
                let (ends, data): (Vec<bool>, Vec<Vec<u8>>) = opened.unzip();
                assert_eq!(data.concat(), content, "{bytes}");
                let last = ends.len() - 1;
                assert!(
                    ends.iter()
                        .enumerate()
                        .all(|(at, end)| *end == (at == last))
                );
                let rows: Vec<usize> = bodies.iter().map(|body| body.len() + 46).collect();
                // Those up to a page share one.
                let pages = |row: &usize| {
                    let whole = row.next_power_of_two().max(4096);
                    if *row < 4096 { *row } else { whole }
                };
                let (used, taken): (usize, usize) =
                    (rows.iter().sum(), rows.iter().map(pages).sum());
                assert!(taken * 100 <= used * 125, "{bytes}: {rows:?}");
            }
        }
    }

    /// Words, and so many of a hundred of them that are noise.
    fn mixed(words: u64, noise: u64) -> Vec<u8> {
        let word = |at: u64| {
            let hash = xxhash_rust::xxh3::xxh3_64(&at.to_le_bytes());
            let is_noise = hash % 100 < noise;
            if is_noise { hash } else { 7 }.to_le_bytes()
        };
        (0..words).flat_map(word).collect()
    }

    #[test]
    fn parts_grow_again_behind_content_that_packs_otherwise() {
        let alike = mixed(200_000, 40);
        let mut content: Vec<u8> = (1..40).flat_map(|noise| mixed(8_000, noise)).collect();
        content.extend_from_slice(&alike);
        let rows = |content: &[u8]| cut(content).len();
        let (alone, before) = (rows(&alike), rows(&content[..content.len() - alike.len()]));
        let together = rows(&content);
        assert!(
            together <= alone + before + 1,
            "{together}: {before} and {alone}"
        );
        let longest = |content: &[u8]| {
            let bodies = cut(content);
            let lengths = bodies.iter().map(|body| open(body).unwrap().1.len());
            lengths.max().unwrap()
        };
        // Small parts in the beginning are no reason for small ones later.
        let growing = [mixed(4_000, 90), mixed(400_000, 3)].concat();
        assert!(longest(&growing) > PART_BYTES * 3 / 4);
    }

    #[test]
    fn a_body_that_is_none_is_refused() {
        let whole = cut(&content(3_000, true)).remove(0);
        assert!(open(&whole[..5]).is_err());
        assert!(open(&[&[1, 2], &whole[2..]].concat()).is_err());
        assert!(open(&[&whole[..2], &[255; 4], &whole[6..]].concat()).is_err());
        assert!(open(&[&whole[..2], &[1, 0, 0, 0], &whole[6..]].concat()).is_err());
    }
}
