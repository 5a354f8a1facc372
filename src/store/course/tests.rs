//! What a course makes of lines: by itself, in pieces, and as it is stored.

use super::changes::{answers_of_both, left_before};
use super::*;
use crate::codec::course_row;

/// Lines as (id, parent, place, answer and its output).
pub(super) type Line = (
    &'static str,
    &'static str,
    Place,
    Option<(&'static str, u64)>,
);

pub(super) fn hash(id: &str) -> u64 {
    crate::model::links::id_hash(id)
}

pub(super) fn links((id, parent, place, answer): Line) -> Links {
    let known = |id: &str| (!id.is_empty()).then(|| hash(id));
    Links {
        id: known(id),
        parent: known(parent),
        place,
        answer: answer.map(|(key, output)| Answer {
            key: hash(key),
            usage: Usage {
                output_tokens: output,
                ..Usage::default()
            },
        }),
        act: Act::None,
    }
}

pub(super) fn asked(id: &'static str, parent: &'static str) -> Line {
    (id, parent, Place::Asked, None)
}

pub(super) fn answered(id: &'static str, parent: &'static str, answer: &'static str) -> Line {
    (id, parent, Place::Answered, Some((answer, 1)))
}

fn way(id: &'static str, parent: &'static str) -> Line {
    (id, parent, Place::Way, None)
}

/// The lines that were taken back, told in one go and in two.
fn taken_back(lines: &[Line]) -> Vec<u64> {
    let links: Vec<Links> = lines.iter().copied().map(links).collect();
    let course = told(&links);
    (0..lines.len() as u64)
        .filter(|at| !course.is_live(*at))
        .collect()
}

/// The course of lines, the same however many come at a time.
pub(super) fn told(lines: &[Links]) -> Course {
    let take = |course: &mut Course, range: std::ops::Range<usize>| {
        for at in range {
            course.take(at as u64, 1, &lines[at], Spent::default());
        }
    };
    let mut whole = Course::default();
    take(&mut whole, 0..lines.len());
    for cut in 0..=lines.len() {
        let mut first = Course::default();
        take(&mut first, 0..cut);
        let changes = first.take_changes();
        let blocks = course_row::pack(&changes.notes);
        let notes = blocks
            .iter()
            .flat_map(|(first, block)| course_row::unpack(*first, block).unwrap());
        let mut second = Course::of(notes, changes.put);
        take(&mut second, cut..lines.len());
        assert_eq!(second.exceptions, whole.exceptions, "cut at {cut}");
    }
    whole
}

#[test]
fn a_message_that_hangs_on_an_earlier_one_leaves_what_is_in_between() {
    let lines = [
        asked("u1", ""),
        answered("a1", "u1", "A"),
        asked("u2", "a1"),
        answered("a2", "u2", "B"),
        asked("u3", "a1"),
        answered("a3", "u3", "C"),
    ];
    assert_eq!(taken_back(&lines), [2, 3]);
}

#[test]
fn a_branch_that_was_left_can_go_on() {
    let mut lines = vec![
        asked("u1", ""),
        answered("a1", "u1", "A"),
        asked("u2", "a1"),
        answered("a2", "u2", "B"),
        asked("u3", "a1"),
        answered("a3", "u3", "C"),
        asked("u4", "a2"),
    ];
    assert_eq!(taken_back(&lines), [4, 5]);
    lines.push(asked("u5", "u1"));
    assert_eq!(taken_back(&lines), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn calls_side_by_side_take_nothing_back() {
    for order in [["r0", "r1", "r2"], ["r2", "r0", "r1"]] {
        let mut lines = vec![
            asked("u1", ""),
            answered("c0", "u1", "A"),
            answered("c1", "c0", "A"),
            answered("c2", "c1", "A"),
        ];
        for result in order {
            let call = match result {
                "r0" => "c0",
                "r1" => "c1",
                _ => "c2",
            };
            lines.push(way(result, call));
        }
        for parent in order {
            let mut lines = lines.clone();
            lines.push(answered("b", parent, "B"));
            lines.push(asked("u2", "b"));
            assert!(taken_back(&lines).is_empty(), "{order:?} {parent}");
        }
    }
}

#[test]
fn an_answer_whose_lines_hang_on_one_message_is_one_branch() {
    let lines = [
        asked("u1", ""),
        answered("a1", "u1", "A"),
        answered("a2", "u1", "A"),
        asked("u2", "a2"),
    ];
    assert!(taken_back(&lines).is_empty());
}

#[test]
fn a_missing_parent_and_none_take_nothing_back() {
    for parent in ["", "nowhere"] {
        let lines = [
            asked("u1", ""),
            answered("a1", "u1", "A"),
            way("e1", parent),
            asked("u2", parent),
            asked("u3", "e1"),
        ];
        assert!(taken_back(&lines).is_empty(), "{parent}");
    }
}

#[test]
fn a_compaction_joins_whatever_it_hangs_on() {
    let lines = [
        asked("u1", ""),
        answered("a1", "u1", "A"),
        asked("u2", "a1"),
        answered("a2", "u2", "B"),
        ("b", "a1", Place::Joint, None),
        way("s", "b"),
        asked("u3", "s"),
        answered("a3", "u3", "C"),
    ];
    assert!(taken_back(&lines).is_empty());
}

#[test]
fn events_on_the_way_lead_to_the_message_above_and_stay() {
    // The notes before the question that begins the new branch are of that branch.
    let lines = [
        asked("u1", ""),
        answered("a1", "u1", "A"),
        way("p1", "a1"),
        asked("u2", "p1"),
        answered("a2", "u2", "B"),
        way("n1", "p1"),
        way("n2", "n1"),
        asked("u3", "n2"),
    ];
    assert_eq!(taken_back(&lines), [3, 4, 5, 6]);
    let lines = [
        asked("u1", ""),
        answered("a1", "u1", "A"),
        asked("u2", "a1"),
        answered("a2", "u2", "B"),
        way("n1", "a1"),
        way("n2", "n1"),
        asked("u3", "n2"),
    ];
    assert_eq!(taken_back(&lines), [2, 3]);
}

#[test]
fn an_answer_counts_once_where_it_has_written_most() {
    let answer = |id, output| (id, "", Place::Apart, Some(("A", output)));
    let lines: Vec<Links> = [
        answer("1", 2),
        answer("2", 50),
        answer("3", 50),
        answer("4", 60),
    ]
    .map(links)
    .into();
    let course = told(&lines);
    let counted: Vec<u64> = course
        .exceptions()
        .filter(|exception| exception.kind == ExceptionKind::Counted)
        .map(|exception| exception.first)
        .collect();
    assert_eq!(counted, [0, 1, 2]);
}

#[test]
fn a_sum_that_is_told_again_counts_once_and_a_copy_of_it_has_its_key() {
    let sum = |total: &str| Links {
        answer: Some(Answer {
            key: hash(total),
            usage: Usage::default(),
        }),
        act: Act::Total,
        ..Links::default()
    };
    let turn = |turn: &str| Links {
        act: Act::Turn(hash(turn)),
        ..Links::default()
    };
    let parent = told(&[
        turn("a"),
        sum("100"),
        sum("100"),
        turn("b"),
        sum("100"),
        sum("180"),
    ]);
    let counted = |course: &Course| -> Vec<u64> {
        course
            .exceptions()
            .map(|exception| exception.first)
            .collect()
    };
    assert_eq!(counted(&parent), [2, 4]);
    let child = told(&[turn("a"), sum("100"), turn("c"), sum("180")]);
    assert!(counted(&child).is_empty());
    let copied = answers_of_both(&child, &parent, (0, u64::MAX));
    assert_eq!(copied.iter().map(|one| one.first).collect::<Vec<_>>(), [1]);
}

fn again(id: &str) -> Links {
    Links {
        id: Some(hash(id)),
        act: Act::Again,
        ..Links::default()
    }
}

fn points(course: &Course, kind: ExceptionKind) -> Vec<(u64, Option<u64>)> {
    course
        .exceptions()
        .filter(|exception| exception.kind == kind)
        .map(|exception| (exception.first, exception.by))
        .collect()
}

#[test]
fn a_message_that_is_written_again_is_shown_once() {
    let course = told(&[again("1"), again("2"), again("1"), again("2"), again("2")]);
    assert_eq!(
        points(&course, ExceptionKind::Replaced),
        [(0, Some(2)), (1, Some(4))]
    );
    assert_eq!(
        points(&course, ExceptionKind::Moved),
        [(2, Some(0)), (3, Some(1)), (4, Some(1))]
    );
    assert_eq!(course.place_of(hash("2")), Some(1));
}

#[test]
fn what_was_taken_back_is_not_what_is_written_again() {
    let rewind = |id: &str| Links {
        act: Act::RewindTo(hash(id)),
        ..Links::default()
    };
    let course = told(&[again("1"), again("2"), rewind("2"), again("2"), again("2")]);
    assert_eq!(points(&course, ExceptionKind::TakenBack), [(1, Some(2))]);
    assert_eq!(points(&course, ExceptionKind::Moved), [(4, Some(3))]);
    let course = told(&[again("1"), again("2"), rewind("nowhere"), again("1")]);
    assert_eq!(points(&course, ExceptionKind::TakenBack), [(0, Some(2))]);
    assert_eq!(points(&course, ExceptionKind::Moved), []);
}

#[test]
fn a_list_of_all_messages_is_shown_where_it_stands() {
    let mut course = Course::default();
    for (at, id) in ["1", "2", "3"].into_iter().enumerate() {
        course.take(at as u64, 1, &again(id), Spent::default());
    }
    let list = Links {
        act: Act::All(vec![hash("1"), hash("3"), hash("4")]),
        ..Links::default()
    };
    let effect = course.take(3, 3, &list, Spent::default());
    assert_eq!(effect.earlier, [(0, 1), (2, 1)]);
    assert_eq!(
        points(&course, ExceptionKind::Moved),
        [(0, Some(3)), (2, Some(3))]
    );
    assert!(!course.is_live(1));
    assert!(course.is_live(3));
    assert_eq!(course.place_of(hash("1")), Some(3));
}

#[test]
fn turns_are_taken_back_from_the_end() {
    let back = |turns| Links {
        act: Act::TakeBack(turns),
        ..Links::default()
    };
    let ask = || links(asked("", ""));
    let nothing = Links::default;
    let lines = [
        ask(),
        nothing(),
        ask(),
        nothing(),
        back(1),
        ask(),
        nothing(),
        back(2),
        ask(),
    ];
    let course = told(&lines);
    let dead: Vec<u64> = (0..9).filter(|at| !course.is_live(*at)).collect();
    assert_eq!(dead, [0, 1, 2, 3, 4, 5, 6]);
    let course = told(&[ask(), nothing(), ask(), back(9), ask()]);
    assert!(!course.is_live(0) && course.is_live(4));
}

#[test]
fn a_revert_holds_until_another_one_or_none() {
    let message = |id: &str| Links {
        id: Some(hash(id)),
        ..Links::default()
    };
    let revert = |from: Option<&str>, is_kept| Links {
        act: Act::Reverted {
            from: from.map(hash),
            is_kept,
        },
        ..Links::default()
    };
    let mut lines = vec![
        message("1"),
        message("2"),
        message("3"),
        revert(Some("2"), false),
    ];
    let dead = |lines: &[Links]| {
        let course = told(lines);
        (0..lines.len() as u64)
            .filter(|at| !course.is_live(*at))
            .collect::<Vec<_>>()
    };
    assert_eq!(dead(&lines), [1, 2]);
    lines.push(revert(Some("2"), true));
    assert_eq!(dead(&lines), [2, 3]);
    lines.push(revert(None, false));
    assert!(dead(&lines).is_empty());
}

#[test]
fn what_was_typed_while_the_agent_worked_is_one_message() {
    let line = |act: fn(u64) -> Act, text: &str| Links {
        act: act(hash(text)),
        ..Links::default()
    };
    let course = told(&[
        line(Act::Typed, "go on"),
        line(Act::Absorbed, "go on"),
        line(Act::Absorbed, "go on"),
        line(Act::Typed, "stop"),
    ]);
    assert_eq!(points(&course, ExceptionKind::Moved), [(1, Some(0))]);
    assert_eq!(points(&course, ExceptionKind::Replaced), [(0, Some(1))]);
}

#[test]
fn what_is_cut_off_leaves_what_was_before_it() {
    let exception = Exception {
        kind: ExceptionKind::TakenBack,
        first: 3,
        last: 6,
        by: Some(7),
        messages: 0,
    };
    assert_eq!(left_before(&exception, 8), Some(exception));
    assert_eq!(left_before(&exception, 7), None);
    let of_another = Exception {
        by: None,
        ..exception
    };
    assert_eq!(left_before(&of_another, 5).map(|left| left.last), Some(4));
    assert_eq!(left_before(&of_another, 3), None);
}
