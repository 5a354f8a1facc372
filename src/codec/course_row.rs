//! What leads from ids to records, and what else a session's lines have told so far that later lines
//! are read by: notes, in the order of their lines, packed into blocks.
//!
//! Notes are only added; of two about the same thing the last one holds. So what a chunk of lines tells
//! is one block behind the others, and all of them, read in their order, are the state.

use super::numbers::{byte, cut, number, of_zigzag, take_hash, take_number, zigzag};
use super::row::{self, RowError, RowFormat};
use crate::model::message::Usage;

const VERSION: u8 = 1;

/// Bytes of notes in a block: what is longer goes on in another one. A line's notes stay together. Two blocks
/// fill a page of the database.
pub(crate) const BLOCK_BYTES: usize = 1_880;

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
    let mut state = State::default();
    for (sequence, note) in notes {
        let is_full =
            |block: &(u64, Vec<u8>)| block.1.len() >= BLOCK_BYTES && state.last != *sequence;
        if blocks.last().is_none_or(is_full) {
            blocks.push((*sequence, Vec::new()));
            // A block is read by itself: nothing in it leans on the one before.
            state = State {
                last: *sequence,
                ..State::default()
            };
        }
        if let Some((_, block)) = blocks.last_mut() {
            put(block, (*sequence, note), &mut state);
        }
    }
    blocks
}

/// What a note in a block leans on: what stands before it there.
#[derive(Debug, Default)]
struct State {
    last: u64,
    model: String,
    answer: u64,
    total: u64,
    day: i32,
}

fn put(block: &mut Vec<u8>, (sequence, note): (u64, &Note), state: &mut State) {
    let (tag, step) = (tag_of(note), sequence.wrapping_sub(state.last));
    state.last = sequence;
    match note {
        Note::Id { id, above, begin } if (*above, *begin) == (Some(sequence), sequence) => {
            head(block, OF_ITSELF, step);
            block.extend_from_slice(&id.to_le_bytes());
        }
        Note::Id { id, above, begin } => {
            head(block, tag, step);
            block.extend_from_slice(&id.to_le_bytes());
            // How far above it the message is, if there is one; 0 for the line itself.
            let up = above.map_or(0, |above| sequence.wrapping_sub(above).wrapping_add(1));
            number(block, up);
            number(block, sequence.wrapping_sub(*begin));
        }
        Note::Said { answer, is_asked } => {
            // A person's message has no answer, and the model's is mostly of the one before.
            let tag = match (*is_asked, *answer) {
                (true, 0) => ASKED,
                (false, answer) if answer == state.answer => OF_LAST,
                _ => tag,
            };
            head(block, tag, step);
            if tag != ASKED && tag != OF_LAST {
                block.extend_from_slice(&answer.to_le_bytes());
                state.answer = *answer;
            }
        }
        Note::Counted {
            answer,
            usage,
            day,
            model,
        } => {
            if *model != state.model {
                block.push(MODEL);
                number(block, model.len() as u64);
                block.extend_from_slice(model.as_bytes());
                state.model.clone_from(model);
            }
            state.answer = *answer;
            // Where sums alone tell answers apart, an answer is its sum.
            if *answer == state.total {
                head(block, OF_TOTAL, step);
            } else {
                head(block, tag, step);
                block.extend_from_slice(&answer.to_le_bytes());
            }
            for tokens in [
                usage.input_tokens,
                usage.output_tokens,
                usage.cache_read_tokens,
                usage.cache_write_tokens,
            ] {
                number(block, tokens);
            }
            let behind = day.map_or(0, |day| {
                let behind = i64::from(day) - i64::from(state.day);
                state.day = day;
                zigzag(behind) + 1
            });
            number(block, behind);
        }
        Note::Typed { text: hash } | Note::Turn { turn: hash } | Note::Total { total: hash } => {
            if let Note::Total { total } = note {
                state.total = *total;
            }
            head(block, tag, step);
            block.extend_from_slice(&hash.to_le_bytes());
        }
        Note::List { messages } => {
            head(block, tag, step);
            number(block, u64::from(*messages));
        }
    }
}

/// Writes what a note is, and how far its line is behind that of the one before: in one byte, where
/// that is not far.
fn head(block: &mut Vec<u8>, tag: u8, step: u64) {
    match u8::try_from(step) {
        Ok(step) if step < FAR => block.push(step << 4 | tag),
        _ => {
            block.push(FAR << 4 | tag);
            number(block, step);
        }
    }
}

/// The step of a note whose line is so far behind the one before, or farther, that it follows.
const FAR: u8 = 15;

const MODEL: u8 = 0;
/// A person's message, without an answer.
const ASKED: u8 = 9;
/// A message of the answer that was named last.
const OF_LAST: u8 = 10;
/// The id of a message of one line: it leads to itself.
const OF_ITSELF: u8 = 11;
/// An answer that counts, and is the sum that was named last.
const OF_TOTAL: u8 = 12;

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
    let mut notes = Vec::new();
    let mut state = State {
        last: first,
        ..State::default()
    };
    let bytes = &mut block;
    while let Some(head) = byte(bytes) {
        let (tag, step) = (head & 0x0F, head >> 4);
        // No note of its own: it names the model of those that follow.
        if tag == MODEL {
            let length = usize::try_from(take_number(bytes)?).map_err(|_| cut())?;
            let (name, rest) = bytes.split_at_checked(length).ok_or_else(cut)?;
            state.model = String::from_utf8_lossy(name).into_owned();
            *bytes = rest;
            continue;
        }
        let step = match step {
            FAR => take_number(bytes)?,
            near => u64::from(near),
        };
        state.last = state.last.wrapping_add(step);
        let note = take(bytes, tag, &mut state)?;
        notes.push((state.last, note));
    }
    Ok(notes)
}

/// Reads what stands behind the head of a note, and passes over it.
fn take(bytes: &mut &[u8], tag: u8, state: &mut State) -> Result<Note, RowError> {
    let sequence = state.last;
    // Tags up to 8 have all of a note behind them, those from 9 on leave out what is usual or what
    // the block has said already.
    Ok(match tag {
        1 => {
            let id = take_hash(bytes)?;
            let up = take_number(bytes)?;
            let above = up.checked_sub(1).map(|up| sequence.wrapping_sub(up));
            let begin = sequence.wrapping_sub(take_number(bytes)?);
            Note::Id { id, above, begin }
        }
        OF_ITSELF => Note::Id {
            id: take_hash(bytes)?,
            above: Some(sequence),
            begin: sequence,
        },
        2 | 3 => {
            state.answer = take_hash(bytes)?;
            Note::Said {
                answer: state.answer,
                is_asked: tag == 2,
            }
        }
        ASKED => Note::Said {
            answer: 0,
            is_asked: true,
        },
        OF_LAST => Note::Said {
            answer: state.answer,
            is_asked: false,
        },
        4 | OF_TOTAL => {
            state.answer = if tag == OF_TOTAL {
                state.total
            } else {
                take_hash(bytes)?
            };
            Note::Counted {
                answer: state.answer,
                usage: Usage {
                    input_tokens: take_number(bytes)?,
                    output_tokens: take_number(bytes)?,
                    cache_read_tokens: take_number(bytes)?,
                    cache_write_tokens: take_number(bytes)?,
                },
                day: take_day(bytes, state)?,
                model: state.model.clone(),
            }
        }
        5 => Note::Typed {
            text: take_hash(bytes)?,
        },
        6 => Note::List {
            messages: u32::try_from(take_number(bytes)?).map_err(|_| cut())?,
        },
        7 => Note::Turn {
            turn: take_hash(bytes)?,
        },
        8 => {
            state.total = take_hash(bytes)?;
            Note::Total { total: state.total }
        }
        _ => return Err(RowError(format!("a note of the unknown kind {tag}"))),
    })
}

fn take_day(bytes: &mut &[u8], state: &mut State) -> Result<Option<i32>, RowError> {
    let Some(behind) = take_number(bytes)?.checked_sub(1) else {
        return Ok(None);
    };
    let day = i64::from(state.day).checked_add(of_zigzag(behind));
    let day = day.and_then(|day| i32::try_from(day).ok());
    state.day = day.ok_or_else(cut)?;
    Ok(Some(state.day))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Stands for the sequence number of the note's own line.
    const ITSELF: u64 = u64::MAX;

    /// Any hash, and often one of few.
    fn hash() -> impl Strategy<Value = u64> {
        prop_oneof![any::<u64>(), 0..3_u64]
    }

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
            any::<u64>().prop_map(|id| Note::Id {
                id,
                above: Some(ITSELF),
                begin: ITSELF
            }),
            (hash(), any::<bool>()).prop_map(|(answer, is_asked)| Note::Said { answer, is_asked }),
            (hash(), usage, any::<Option<i32>>(), "[ab]{0,3}").prop_map(
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
            hash().prop_map(|total| Note::Total { total }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(
            notes in prop::collection::vec((0..20_u64, any_note()), 0..60), first in any::<u32>()
        ) {
            let mut sequence = u64::from(first);
            let notes: Vec<(u64, Note)> = notes
                .into_iter()
                .map(|(step, mut note)| {
                    sequence += step;
                    if let Note::Id { above: Some(above), begin, .. } = &mut note
                        && *above == ITSELF
                    {
                        (*above, *begin) = (sequence, sequence);
                    }
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
    fn the_bytes_of_version_1_are_fixed() {
        let usage = Usage {
            input_tokens: 300,
            ..Usage::default()
        };
        let counted = |answer, day| Note::Counted {
            answer,
            usage,
            day,
            model: "m".to_owned(),
        };
        let said = |answer, is_asked| Note::Said { answer, is_asked };
        let id = |id, above, begin| Note::Id { id, above, begin };
        let notes = [
            (7, id(1, Some(7), 7)),
            (8, id(2, Some(7), 8)),
            (9, id(3, None, 6)),
            (24, said(0, true)),
            (25, said(4, true)),
            (25, Note::Total { total: 5 }),
            (25, counted(5, Some(20_000))),
            (26, said(5, false)),
            (27, counted(6, Some(19_998))),
            (28, counted(6, None)),
            (29, Note::Typed { text: 7 }),
            (29, Note::List { messages: 200 }),
            (30, Note::Turn { turn: 8 }),
        ];
        let blocks = pack(&notes);
        let [(7, block)] = blocks.as_slice() else {
            panic!("{blocks:?}");
        };
        assert_eq!(unpack(7, block).unwrap(), notes);
        let hash = xxhash_rust::xxh3::xxh3_64(block);
        assert_eq!(
            hash, GOLDEN,
            "the layout of a released version never changes: {hash:#x}"
        );
    }

    const GOLDEN: u64 = 0x4d52_e2d7_cab7_2b9a;

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
