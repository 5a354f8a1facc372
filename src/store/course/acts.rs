//! What single lines do to others: sums, parts of a message, what is taken back behind a line.

use super::tests::{answered, asked, hash, links, told};
use super::*;

fn spent(key: &str, output: u64, act: Act) -> Links {
    let usage = Usage {
        output_tokens: output,
        ..Usage::default()
    };
    Links {
        answer: Some(Answer {
            key: hash(key),
            usage,
        }),
        act,
        ..Links::default()
    }
}

/// The lines whose tokens count, with what they tell.
fn counted(lines: &[Links]) -> Vec<usize> {
    let course = told(lines);
    let is_elsewhere = |at: usize| {
        let key = (ExceptionKind::Counted.code(), at as u64);
        course.exceptions.contains_key(&key)
    };
    (0..lines.len()).filter(|at| !is_elsewhere(*at)).collect()
}

#[test]
fn a_sum_counts_instead_of_what_it_sums_up() {
    let one = |key, output| spent(key, output, Act::None);
    let sum = |key, output, of_all| spent(key, output, Act::Sums { of_all });
    let all = [
        one("a", 3),
        one("b", 4),
        sum("s", 7, true),
        one("c", 1),
        sum("t", 8, true),
    ];
    assert_eq!(counted(&all), [4]);
    let each = [
        one("a", 3),
        sum("s", 3, false),
        one("b", 4),
        sum("t", 4, false),
        sum("u", 5, false),
        one("c", 1),
    ];
    assert_eq!(counted(&each), [1, 3, 4, 5]);
    // The sum may be told before what it sums up, which then counts there.
    let before = [
        sum("s", 3, false),
        spent("a", 3, Act::Summed),
        spent("b", 4, Act::Summed),
        sum("t", 4, false),
    ];
    assert_eq!(counted(&before), [0, 3]);
    let alone = [spent("a", 3, Act::Summed), spent("b", 4, Act::Summed)];
    assert_eq!(counted(&alone), [0, 1]);
    let course = told(&all);
    let left: Vec<u64> = course.answers.values().map(|(_, output)| *output).collect();
    assert_eq!(left.iter().sum::<u64>(), 8);
}

#[test]
fn parts_of_one_message_are_shown_at_the_first_unless_they_lie_far_apart() {
    let part = |id: &'static str| Links {
        act: Act::Part,
        ..links((id, "", Place::Apart, None))
    };
    let course = told(&[part("a"), part("b"), part("a"), part("a")]);
    let moved = |course: &Course, at| {
        let key = (ExceptionKind::Moved.code(), at);
        course
            .exceptions
            .get(&key)
            .map_or(0, |moved| moved.messages)
    };
    assert_eq!(
        [0, 1, 2, 3].map(|at| moved(&course, at)),
        [0, 0, 1, 1],
        "{course:?}"
    );
    // A part that hangs on what its first one hangs on begins no other branch.
    let hanging = |id: &'static str, parent: &'static str| Links {
        act: Act::Part,
        ..links((id, parent, Place::Answered, None))
    };
    let course = told(&[links(asked("q", "")), hanging("a", "q"), hanging("a", "q")]);
    assert!((0..3).all(|at| course.is_live(at)));
    let mut course = Course::default();
    let mut take = |at| course.take(at, 1, &part("a"), Spent::default()).hidden;
    assert_eq!(take(0), 0);
    assert_eq!(take(PARTS_NEAR), 1);
    assert_eq!(take(PARTS_NEAR + 1), 0);
    assert_eq!(take(PARTS_NEAR + 2), 1);
}

#[test]
fn what_stands_behind_a_line_is_taken_back_and_a_talk_begins_anew() {
    let rewind = |id: &str| Links {
        act: Act::RewindBehind(hash(id)),
        ..Links::default()
    };
    let lines = |act: Links| {
        let mut all: Vec<Links> = [
            asked("a", ""),
            answered("b", "a", "x"),
            asked("c", "b"),
            answered("d", "c", "y"),
        ]
        .map(links)
        .into();
        all.push(act);
        all
    };
    let live = |act: Links| {
        let course = told(&lines(act));
        (0..4).filter(|at| course.is_live(*at)).count()
    };
    assert_eq!(live(rewind("b")), 2);
    assert_eq!(live(rewind("nobody")), 4);
    assert_eq!(live(links(("e", "", Place::Root, None))), 0);
    assert_eq!(live(links(asked("e", ""))), 4);
}

#[test]
fn a_branch_that_was_left_is_gone_back_to_and_nothing_else_comes_back() {
    let answered = |id, parent| links((id, parent, Place::Answered, None));
    let asked = |id, parent| links(asked(id, parent));
    let lines = [
        asked("u0", ""),
        answered("a1", "u0"),
        asked("u2", "u0"),
        answered("a3", "u2"),
        asked("u4", "a1"),
        asked("u5", "u2"),
        answered("a6", "u5"),
        asked("u7", "a3"),
    ];
    let left = |count: usize| {
        let course = told(&lines[..count]);
        let at = 0..count as u64;
        at.filter(|at| !course.is_live(*at)).collect::<Vec<_>>()
    };
    assert_eq!(left(4), [1]);
    assert_eq!(left(5), [2, 3]);
    assert_eq!(left(6), [1, 3, 4]);
    assert_eq!(left(7), [1, 3, 4]);
    assert_eq!(left(8), [1, 4, 5, 6]);
}
