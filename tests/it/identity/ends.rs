//! What stands around the lines that are compared: headers, costs, and a last line that is cut off.

use super::shelf::Shelf;

#[test]
fn a_file_that_moved_with_a_new_header_has_it() {
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b c", 10);
    shelf.put("h2", "H2 a b c", 20);
    shelf.is_one("H2 a b c", "H1 a b c H2");
}

#[test]
fn an_older_header_elsewhere_is_kept_and_not_taken() {
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b", 10);
    shelf.put("h2", "H0 a b", 5);
    shelf.is_one("H1 a b", "H1 a b H0");
    shelf.put("h3", "H9 a", 4);
    shelf.is_one("H1 a b", "H1 a b H0 H9");
}

#[test]
fn a_header_that_was_there_before_is_older_whatever_its_time() {
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b", 10);
    shelf.put("h1", "H2 a b", 20);
    for second in [30, 31] {
        shelf.put("h2", "H1 a b", second);
        shelf.is_one("H2 a b", "H1 a b H2");
    }
    // In its place it is the header again, and the record that it was.
    shelf.put("h1", "H1 a b", 40);
    shelf.is_one("H1 a b", "H1 a b H2");
}

#[test]
fn an_open_line_gives_way_to_one_that_it_begins() {
    let shelf = Shelf::claude();
    shelf.put("h1", "a b-", 10);
    shelf.put("h2", "a b=", 20);
    shelf.is_one("a b=", "a b=");
    shelf.put("h3", "a b c", 30);
    shelf.is_one("a b c", "a b c");
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b-", 10);
    shelf.put("h2", "H1 a b c", 20);
    shelf.is_one("H1 a b c", "H1 a b c");
    // Where a header comes before it, its place is taken.
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b-", 10);
    shelf.put("h1", "H2 a b c", 20);
    shelf.is_one("H2 a b c", "H1 a b- H2 b c");
}

#[test]
fn an_open_line_elsewhere_counts_only_if_it_is_newer_and_goes_on() {
    let before = || {
        let shelf = Shelf::claude();
        shelf.put("h1", "a b-", 10);
        shelf
    };
    for (words, second) in [("a b=", 5), ("a c-", 20), ("a", 20), ("a b-", 20)] {
        let shelf = before();
        shelf.put("h2", words, second);
        shelf.is_one("a b-", "a b-");
    }
    // It stays behind a header that is taken.
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b-", 10);
    shelf.put("h2", "H2 a", 20);
    shelf.is_one("H2 a b-", "H1 a b- H2");
    // With its end, where it was ended here.
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b_", 10);
    shelf.here("x");
    shelf.put("h2", "H2 a", 20);
    shelf.is_one("H2 a b x", "H1 a b_ END x H2");
}

#[test]
fn another_line_where_an_open_one_stood_is_no_end_of_it() {
    let shelf = Shelf::claude();
    shelf.put("h1", "a b-", 10);
    shelf.put("h2", "a c d", 20);
    shelf.is_one("a c d", "a b- c d");
}

#[test]
fn what_was_appended_behind_an_open_line_stays_behind_it() {
    let shelf = Shelf::claude();
    shelf.put("h1", "a b-", 10);
    shelf.here("x");
    shelf.put("h1", "a b c", 20);
    shelf.is_one("a b c x", "a b- END x b c");
}

#[test]
fn an_open_line_that_was_ended_here_is_one_line() {
    let shelf = Shelf::claude();
    shelf.put("h1", "a b_", 10);
    shelf.here("x");
    shelf.is_one("a b x", "a b_ END x");
    shelf.put("h1", "a b x", 20);
    shelf.is_one("a b x", "a b_ END x");
    shelf.put("h1", "a b x c", 30);
    shelf.is_one("a b x c", "a b_ END x c");
    // An own export elsewhere brings nothing.
    let shelf = Shelf::claude();
    shelf.put("h1", "a b_", 10);
    shelf.here("x");
    shelf.put("h2", "a b x", 20);
    shelf.is_one("a b x", "a b_ END x");
    // All of it was removed here but the open line.
    let shelf = Shelf::claude();
    shelf.put("h1", "a c b_", 10);
    shelf.here("x");
    shelf.compact(2);
    shelf.put("h2", "b x d", 20);
    shelf.is_one("b x d", "b_ END x d");
}

#[test]
fn an_open_line_that_was_removed_here_stays_away_while_its_file_is_what_it_was() {
    for shelf in [Shelf::claude(), Shelf::ggcode(), Shelf::notes()] {
        shelf.put("a", "a b c t-", 1);
        shelf.here("x");
        shelf.compact(1);
        shelf.put("a", "a b c t-", 2);
        shelf.is_one("x", "x");
        // More of it is new, whatever was removed.
        shelf.put("a", "a b c t d", 3);
        assert!(shelf.all_words().contains("d"), "{:?}", shelf.exports());
        assert!(shelf.all_words().contains("t"), "{:?}", shelf.exports());
    }
}

#[test]
fn a_cost_that_was_removed_here_is_no_line_of_its_file() {
    for (before, after) in [
        ("H1 a b C1", "H1 a b C1 c d"),
        ("H1 a C1 b", "H1 a C1 b c d"),
        ("H1 a b C1", "H2 a b c d C2"),
        ("H1 a b C1", "H2 a b c C2 d"),
    ] {
        let shelf = Shelf::ggcode();
        shelf.put("a", before, 1);
        shelf.here("x y");
        shelf.compact(2);
        shelf.put("a", after, 2);
        let words = shelf.all_words();
        for word in ["c", "d", "x", "y"] {
            assert!(words.contains(word), "{after}: {:?}", shelf.exports());
        }
        assert_eq!(shelf.exports().len(), 1, "{after}");
    }
}

#[test]
fn a_header_that_was_removed_here_does_not_come_back_while_its_file_is_what_it_was() {
    let shelf = Shelf::ggcode();
    shelf.put("b", "H2 a b c d C2", 3);
    shelf.put("a", "H1 a b c d e f g h", 2);
    shelf.compact(2);
    for second in 4..7 {
        shelf.put("a", "H1 a b c d e f g h", second);
        shelf.put("b", "H2 a b c d C2", second);
        let log = shelf.log();
        assert!(!log.contains("C2"), "{log}");
    }
}
