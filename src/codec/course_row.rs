//! What leads from ids to records, and what else a session's lines have told so far that later lines
//! are read by: notes, in the order of their lines, packed into blocks.
//!
//! Notes are only added; of two about the same thing the last one holds. So what a chunk of lines tells
//! is one block behind the others, and all of them, read in their order, are the state.

use super::row::{self, RowError, RowFormat};
use crate::model::message::Usage;

const VERSION: u8 = 1;

/// Bytes of notes in a block: what is longer goes on in another one. A line's notes stay together.
pub(crate) const BLOCK_BYTES: usize = 32 * 1024;

/// Something that a line told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// Its id.
    Id {
        /// The id, hashed.
        id: u64,
        /// The message that it is, or that it hangs on by way of other lines.
        above: Option<u64>,
        /// Where the lines begin that lead to it from that message.
        begin: u64,
    },
    /// A message of the main talk.
    Said {
        /// The answer that it belongs to; 0 if it is none of the model's.
        answer: u64,
        /// Whether a person said it.
        is_asked: bool,
    },
    /// An answer counts at this line.
    Counted {
        /// The answer.
        answer: u64,
        /// What it took.
        usage: Usage,
        /// When, in days since 1970, where the line says so.
        day: Option<i32>,
        /// The model.
        model: String,
    },
    /// A message that was typed while the agent worked.
    Typed {
        /// Its text, hashed.
        text: u64,
    },
    /// A line of several messages.
    List {
        /// How many.
        messages: u32,
    },
    /// A turn begins.
    Turn {
        /// Its id, hashed.
        turn: u64,
    },
    /// The sum of all tokens so far.
    Total {
        /// The sum, hashed.
        total: u64,
    },
}

/// Packs notes, each with the sequence number of its line, into blocks: each with its first one.
pub(crate) fn pack(notes: &[(u64, Note)]) -> Vec<(u64, Vec<u8>)> {
    let mut blocks: Vec<(u64, Vec<u8>)> = Vec::new();
    let (mut last, mut model) = (0, String::new());
    for (sequence, note) in notes {
        let is_full = |block: &(u64, Vec<u8>)| block.1.len() >= BLOCK_BYTES && last != *sequence;
        if blocks.last().is_none_or(is_full) {
            blocks.push((*sequence, Vec::new()));
            last = *sequence;
            model.clear();
        }
        if let Some((_, block)) = blocks.last_mut() {
            put(block, (*sequence, note), &mut last, &mut model);
        }
    }
    blocks
}

fn put(block: &mut Vec<u8>, (sequence, note): (u64, &Note), last: &mut u64, current: &mut String) {
    let (tag, step) = (tag_of(note), sequence.wrapping_sub(*last));
    *last = sequence;
    match note {
        Note::Id { id, above, begin } => {
            block.push(tag);
            number(block, step);
            block.extend_from_slice(&id.to_le_bytes());
            // How far above it the message is, if there is one; 0 for the line itself.
            let up = above.map_or(0, |above| sequence.wrapping_sub(above).wrapping_add(1));
            number(block, up);
            number(block, sequence.wrapping_sub(*begin));
        }
        Note::Said { answer, .. } => {
            block.push(tag);
            number(block, step);
            block.extend_from_slice(&answer.to_le_bytes());
        }
        Note::Counted {
            answer,
            usage,
            day,
            model,
        } => {
            if model != current {
                block.push(MODEL);
                number(block, model.len() as u64);
                block.extend_from_slice(model.as_bytes());
                current.clone_from(model);
            }
            block.push(tag);
            number(block, step);
            block.extend_from_slice(&answer.to_le_bytes());
            for tokens in [
                usage.input_tokens,
                usage.output_tokens,
                usage.cache_read_tokens,
                usage.cache_write_tokens,
            ] {
                number(block, tokens);
            }
            let day = day.map_or(0, |day| u64::from(day.cast_unsigned()) + 1);
            number(block, day);
        }
        Note::Typed { text: hash } | Note::Turn { turn: hash } | Note::Total { total: hash } => {
            block.push(tag);
            number(block, step);
            block.extend_from_slice(&hash.to_le_bytes());
        }
        Note::List { messages } => {
            block.push(tag);
            number(block, step);
            number(block, u64::from(*messages));
        }
    }
}

const MODEL: u8 = 0;

fn tag_of(note: &Note) -> u8 {
    match note {
        Note::Id { .. } => 1,
        Note::Said { is_asked: true, .. } => 2,
        Note::Said { .. } => 3,
        Note::Counted { .. } => 4,
        Note::Typed { .. } => 5,
        Note::List { .. } => 6,
        Note::Turn { .. } => 7,
        Note::Total { .. } => 8,
    }
}

/// Unpacks a block that begins with the notes of a record.
pub(crate) fn unpack(first: u64, mut block: &[u8]) -> Result<Vec<(u64, Note)>, RowError> {
    let (mut notes, mut sequence, mut model) = (Vec::new(), first, String::new());
    let bytes = &mut block;
    while let Some(tag) = byte(bytes) {
        if tag == MODEL {
            let length = usize::try_from(take_number(bytes)?).map_err(|_| cut())?;
            let (name, rest) = bytes.split_at_checked(length).ok_or_else(cut)?;
            model = String::from_utf8_lossy(name).into_owned();
            *bytes = rest;
            continue;
        }
        sequence = sequence.wrapping_add(take_number(bytes)?);
        let note = match tag {
            1 => {
                let id = take_hash(bytes)?;
                let up = take_number(bytes)?;
                let above = up.checked_sub(1).map(|up| sequence.wrapping_sub(up));
                let begin = sequence.wrapping_sub(take_number(bytes)?);
                Note::Id { id, above, begin }
            }
            2 | 3 => Note::Said {
                answer: take_hash(bytes)?,
                is_asked: tag == 2,
            },
            4 => Note::Counted {
                answer: take_hash(bytes)?,
                usage: Usage {
                    input_tokens: take_number(bytes)?,
                    output_tokens: take_number(bytes)?,
                    cache_read_tokens: take_number(bytes)?,
                    cache_write_tokens: take_number(bytes)?,
                },
                day: match take_number(bytes)?.checked_sub(1) {
                    Some(day) => Some(u32::try_from(day).map_err(|_| cut())?.cast_signed()),
                    None => None,
                },
                model: model.clone(),
            },
            5 => Note::Typed {
                text: take_hash(bytes)?,
            },
            6 => Note::List {
                messages: u32::try_from(take_number(bytes)?).map_err(|_| cut())?,
            },
            7 => Note::Turn {
                turn: take_hash(bytes)?,
            },
            8 => Note::Total {
                total: take_hash(bytes)?,
            },
            _ => return Err(RowError(format!("a note of the unknown kind {tag}"))),
        };
        notes.push((sequence, note));
    }
    Ok(notes)
}

/// The stored bytes of a block under a session's number and its first record.
pub(crate) fn seal(session: u64, first: u64, block: &[u8]) -> Vec<u8> {
    row::seal(RowFormat::Course, VERSION, &key(session, first), block)
}

/// Reads stored bytes.
pub(crate) fn open(session: u64, first: u64, row: &[u8]) -> Result<Vec<(u64, Note)>, RowError> {
    let block = row::open(RowFormat::Course, VERSION, &key(session, first), row)?;
    unpack(first, block)
}

fn key(session: u64, first: u64) -> [u8; 16] {
    let mut key = [0; 16];
    let (left, right) = key.split_at_mut(8);
    left.copy_from_slice(&session.to_be_bytes());
    right.copy_from_slice(&first.to_be_bytes());
    key
}

fn cut() -> RowError {
    RowError("a block of notes that is cut short".to_owned())
}

/// Writes a number, seven bits a byte, the lowest first.
fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take_number(bytes: &mut &[u8]) -> Result<u64, RowError> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let next = byte(bytes).ok_or_else(cut)?;
        value |= u64::from(next & 0x7F) << shift;
        if next < 0x80 {
            return Ok(value);
        }
    }
    Err(cut())
}

fn take_hash(bytes: &mut &[u8]) -> Result<u64, RowError> {
    let (hash, rest) = bytes.split_first_chunk::<8>().ok_or_else(cut)?;
    *bytes = rest;
    Ok(u64::from_le_bytes(*hash))
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_note() -> impl Strategy<Value = Note> {
        let usage = any::<[u64; 4]>().prop_map(|[a, b, c, d]| Usage {
            input_tokens: a,
            output_tokens: b,
            cache_read_tokens: c,
            cache_write_tokens: d,
        });
        prop_oneof![
            (any::<u64>(), any::<Option<u32>>(), any::<u32>()).prop_map(|(id, above, begin)| {
                Note::Id {
                    id,
                    above: above.map(u64::from),
                    begin: begin.into(),
                }
            }),
            (any::<u64>(), any::<bool>())
                .prop_map(|(answer, is_asked)| Note::Said { answer, is_asked }),
            (any::<u64>(), usage, any::<Option<i32>>(), "[ab]{0,3}").prop_map(
                |(answer, usage, day, model)| Note::Counted {
                    answer,
                    usage,
                    day,
                    model
                }
            ),
            any::<u64>().prop_map(|text| Note::Typed { text }),
            any::<u32>().prop_map(|messages| Note::List { messages }),
            any::<u64>().prop_map(|turn| Note::Turn { turn }),
            any::<u64>().prop_map(|total| Note::Total { total }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(
            notes in prop::collection::vec((0..9_u64, any_note()), 0..60), first in any::<u32>()
        ) {
            let mut sequence = u64::from(first);
            let notes: Vec<(u64, Note)> = notes
                .into_iter()
                .map(|(step, note)| {
                    sequence += step;
                    (sequence, note)
                })
                .collect();
            let mut back = Vec::new();
            for (first, block) in pack(&notes) {
                let row = seal(3, first, &block);
                back.extend(open(3, first, &row).unwrap());
                prop_assert!(open(4, first, &row).is_err());
            }
            prop_assert_eq!(back, notes);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _is_read = unpack(7, &bytes).is_ok();
        }
    }

    #[test]
    fn long_notes_go_on_in_another_block_and_those_of_a_line_stay_together() {
        let of = |sequence| (sequence, Note::Typed { text: sequence });
        let notes: Vec<_> = (0..9_000).map(|at| of(at / 2)).collect();
        let blocks = pack(&notes);
        assert!(blocks.len() > 1);
        let firsts: Vec<u64> = blocks.iter().map(|(first, _)| *first).collect();
        assert!(firsts.is_sorted_by(|one, other| one < other));
        let back: Vec<_> = blocks
            .iter()
            .flat_map(|(first, block)| unpack(*first, block).unwrap())
            .collect();
        assert_eq!(back, notes);
    }
}
