//! Files that are the one that is stored, or what it was: moved, copied, older, grown, brought back.

use scrollback::{Expect, NewRecord, SessionKey, Store as _};

use super::shelf::Shelf;

#[test]
fn a_piece_elsewhere_brings_nothing() {
    let shelf = Shelf::claude();
    shelf.put("h1", "a b c d", 10);
    shelf.put("h2", "b c d", 20);
    shelf.is_one("a b c d", "a b c d");
}

#[test]
fn a_line_that_is_there_once_too_often_is_a_new_one() {
    let shelf = Shelf::claude();
    shelf.put("h1", "hi a b", 10);
    shelf.put("h2", "hi hi a", 20);
    assert_eq!(shelf.exports().len(), 2);
}

#[test]
fn an_older_file_is_known_after_a_compaction_here() {
    let shelf = Shelf::claude();
    shelf.put("h1", "a b c d e", 10);
    shelf.compact(2);
    shelf.put("h1", "a b c d e f", 20);
    shelf.put("h2", "a b c d e", 10);
    shelf.is_one("d e f", "d e f");
    // Rewritten, too.
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b c d e", 10);
    shelf.compact(2);
    shelf.put("h1", "H2 d e f", 20);
    shelf.put("h2", "H1 a b c d e", 10);
    shelf.is(&["H2 d e f"]);
}

#[test]
fn a_shorter_copy_that_was_seen_is_known_by_its_bytes_after_a_compaction_here() {
    for copy_is_first in [false, true] {
        let shelf = Shelf::claude();
        if copy_is_first {
            shelf.put("h2", "a b", 5);
        }
        shelf.put("h1", "a b c d e", 10);
        shelf.put("h2", "a b", 15);
        shelf.compact(2);
        shelf.put("h2", "a b", 30);
        shelf.is_one("d e", "d e");
        // With another line it is what it looks like.
        shelf.put("h2", "a z", 40);
        assert_eq!(shelf.exports().len(), 2);
    }
}

#[test]
fn a_shorter_file_in_its_place_is_told_and_changes_nothing() {
    let shelf = Shelf::claude();
    shelf.put("h1", "a b c", 10);
    let report = shelf.put("h1", "a b", 20);
    assert!(
        report.problems[0].reason.contains("is shorter than it was"),
        "{report:?}"
    );
    shelf.is_one("a b c", "a b c");
}

#[test]
fn a_session_that_was_made_here_takes_the_file_that_has_its_lines() {
    let shelf = Shelf::ggcode();
    shelf.here("a b c");
    shelf.put("h1", "H1 a b c", 10);
    shelf.is_one("H1 a b c", "a b c H1");
}

#[test]
fn an_own_export_elsewhere_leaves_the_file_as_it_was() {
    let shelf = Shelf::jcode();
    shelf.put("h1", "a b c d e", 10);
    shelf.compact(2);
    shelf.put("h2", "d e", 20);
    shelf.put("h1", "a b c d e f", 30);
    shelf.is_one("d e f", "d e f");
    // However many lines it has.
    let shelf = Shelf::jcode();
    shelf.put("h1", "a b c d e", 10);
    shelf.compact(2);
    shelf.here("x y z");
    shelf.put("h2", "d e x y z", 20);
    shelf.put("h1", "a b c d e f", 30);
    shelf.is_one("d e f x y z", "d e x y z f");
}

#[test]
fn what_grows_behind_an_own_export_is_the_session() {
    let shelf = Shelf::claude();
    shelf.put("h1", "a b c d e", 10);
    shelf.compact(2);
    shelf.here("x");
    // An export from before `x` was said.
    shelf.put("h1", "d e f", 20);
    shelf.is_one("d e f x", "d e x f");
    // All of the file was removed here.
    let shelf = Shelf::claude();
    shelf.put("h1", "a b c", 10);
    shelf.compact(0);
    shelf.here("x");
    shelf.put("h1", "x f", 20);
    shelf.is_one("x f", "x f");
}

#[test]
fn a_file_of_which_nothing_was_left_goes_on_in_its_place_alone() {
    let shelf = Shelf::jcode();
    shelf.put("h1", "a b c", 10);
    shelf.put("h1", "", 20);
    shelf.is_one("", "a b c");
    shelf.put("h2", "x y z", 30);
    assert_eq!(shelf.exports().len(), 2);
    let shelf = Shelf::jcode();
    shelf.put("h1", "a b c", 10);
    shelf.put("h1", "", 20);
    shelf.put("h1", "x y", 30);
    shelf.is_one("x y", "a b c x y");
}

#[test]
fn the_file_as_it_was_is_that_whatever_else_holds_its_lines() {
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b c d", 10);
    shelf.put("h2", "H1 a b x c d", 20);
    shelf.is(&["H1 a b x c d", "H1 a b c d"]);
    shelf.put("h3", "H2 a b c d", 30);
    let mut exports = shelf.exports();
    exports.sort();
    assert_eq!(exports, ["H1 a b x c d", "H2 a b c d"]);
}

/// A content whose lines are all removed but `a b`, so that any file begins with it that begins so; and
/// another one, which arrived before.
fn beside_a_short_one(other: &str) -> Shelf {
    let shelf = Shelf::claude();
    shelf.put("h2", other, 10);
    shelf.put("h1", "x a b", 20);
    shelf.compact(2);
    shelf.is(&["a b", other]);
    shelf
}

#[test]
fn of_two_contents_that_a_file_goes_on_from_the_longer_one_does() {
    let shelf = beside_a_short_one("a b y");
    shelf.put("h3", "a b y z", 30);
    shelf.is(&["a b y z", "a b"]);
}

#[test]
fn what_one_content_knows_does_not_make_another_one_grow() {
    let shelf = beside_a_short_one("a b y z");
    shelf.put("h3", "a b y", 30);
    shelf.is(&["a b", "a b y z"]);
}

#[test]
fn of_two_contents_of_the_same_length_the_newest_goes_on() {
    let shelf = beside_a_short_one("w a b");
    let older = SessionKey::new("claude-code", format!("{}~1", shelf.key().id())).unwrap();
    shelf.store.truncate(&older, 2).unwrap();
    shelf.store.compact(&older, None, None).unwrap();
    let newest = shelf.summary().number;
    shelf.put("h3", "a b z", 50);
    shelf.is(&["a b z", "a b"]);
    assert_eq!(shelf.summary().number, newest);
}

#[test]
fn what_was_said_on_both_sides_is_there_once() {
    let shelf = Shelf::claude();
    shelf.put("h1", "a", 10);
    shelf.here("x y");
    // The agent has both, with a line of its own between them.
    shelf.put("h1", "a x b y", 20);
    shelf.is_one("a x b y", "a x y b");
    // In another order they are the same.
    let shelf = Shelf::claude();
    shelf.put("h1", "a", 10);
    shelf.here("x y");
    shelf.put("h1", "a y x", 20);
    shelf.is_one("a y x", "a x y");
    // A short one that comes again behind them was said again.
    let shelf = Shelf::claude();
    shelf.put("h1", "a", 10);
    shelf.here("hi x");
    shelf.put("h1", "a x hi", 20);
    shelf.is_one("a x hi hi", "a hi x hi");
}

#[test]
fn of_two_contents_whose_headers_alone_state_times_the_newer_file_has_the_name() {
    let shelf = Shelf::ggcode();
    shelf.put("a", "H1 a b c d e", 1);
    shelf.put("b", "H1 a b x y", 2);
    assert_eq!(shelf.exports()[0], "H1 a b x y");
    // However much the older one says, and whichever comes first.
    let shelf = Shelf::ggcode();
    shelf.put("b", "H1 a b x y", 2);
    shelf.put("a", "H1 a b c d e", 1);
    assert_eq!(shelf.exports()[0], "H1 a b x y");
}

#[test]
fn a_header_of_a_later_time_does_not_make_an_older_file_the_newer_one() {
    let shelf = Shelf::ggcode();
    // Words are dated in the order in which they are written first.
    shelf.write("x", "H1", 1);
    shelf.put("a", "H5 a b c d e", 10);
    shelf.put("b", "H1 a b x y", 20);
    assert_eq!(shelf.exports()[0], "H1 a b x y");
    // What was appended here counts by its own time.
    let older = SessionKey::new("ggcode", format!("{}~1", shelf.key().id())).unwrap();
    let records = [NewRecord::line(
        r#"{"type":"message","message":{"role":"user","content":[]}}"#,
    )];
    shelf
        .store
        .append(&older, Expect::Any, None, &records)
        .unwrap();
    shelf.put("b", "H1 a b x y z", 30);
    assert!(shelf.exports()[0].starts_with("H5 a b c d e"));
}
