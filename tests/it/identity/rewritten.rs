//! Files that their agents cut, rewrite and reorder, and the same where no agent does.

use super::shelf::Shelf;

#[test]
fn a_file_that_is_cut_in_its_place_is_cut_for_who_takes_back() {
    let shelf = Shelf::jcode();
    shelf.put("h1", "a b c d", 10);
    shelf.put("h1", "a b", 20);
    shelf.is_one("a b", "a b c d");
    // Elsewhere it is an older copy.
    let shelf = Shelf::jcode();
    shelf.put("h1", "a b c d", 10);
    shelf.put("h2", "a b", 20);
    shelf.is_one("a b c d", "a b c d");
    // So it is where its time is older: somebody has put it back.
    shelf.put("h1", "a b", 5);
    shelf.is_one("a b c d", "a b c d");
}

#[test]
fn a_file_with_an_older_time_than_any_that_was_seen_is_older() {
    let shelf = Shelf::jcode();
    shelf.put("h1", "a b c", 20);
    shelf.put("h2", "a b c d", 10);
    shelf.put("h2", "a b", 15);
    shelf.is_one("a b c d", "a b c d");
    let shelf = Shelf::jcode();
    shelf.put("h1", "a b c", 20);
    shelf.here("x");
    shelf.put("h2", "a b c d", 10);
    shelf.put("h2", "a b", 15);
    shelf.is_one("a b c d x", "a b c x d");
}

#[test]
fn a_place_where_an_earlier_file_lay_is_no_place_of_the_file() {
    let shelf = Shelf::jcode();
    shelf.put("h1", "a b c", 10);
    shelf.put("h2", "a b c", 10);
    shelf.put("h1", "a b c d", 20);
    shelf.put("h2", "a b", 30);
    shelf.is_one("a b c d", "a b c d");
    let shelf = Shelf::jcode();
    shelf.put("h1", "a b c", 10);
    shelf.put("h2", "a b c", 10);
    shelf.here("x");
    shelf.put("h1", "a b c d", 20);
    shelf.put("h2", "a b", 30);
    shelf.is_one("a b c d x", "a b c x d");
}

#[test]
fn a_new_header_leaves_the_places_of_the_file() {
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b c", 10);
    shelf.put("h2", "H1 a b c", 10);
    shelf.put("h1", "H2 a b c", 20);
    shelf.put("h2", "H3 c n", 30);
    shelf.is_one("H3 c n", "H1 a b c H2 H3 n");
}

#[test]
fn a_place_with_an_older_header_is_not_newer_for_being_touched() {
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b c", 10);
    shelf.put("h2", "H1 a b c", 12);
    shelf.put("h1", "H2 a b c", 20);
    shelf.put("h2", "H1 a b c", 30);
    shelf.is_one("H2 a b c", "H1 a b c H2");
    // Where the file was last read from, it was put back.
    shelf.put("h1", "H1 a b c", 40);
    shelf.is_one("H1 a b c", "H1 a b c H2");
    // A header that nobody has seen is the newest wherever it lies.
    shelf.put("h2", "H3 a b c", 50);
    shelf.is_one("H3 a b c", "H1 a b c H2 H3");
}

#[test]
fn three_lines_of_200_bytes_at_the_end_are_enough_elsewhere() {
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b c d", 10);
    shelf.put("h2", "H2 b c d n", 20);
    shelf.is_one("H2 b c d n", "H1 a b c d H2 n");
    // Two lines are not.
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a L1 L2", 10);
    shelf.put("h2", "H2 L1 L2 n", 20);
    assert_eq!(shelf.exports().len(), 2);
    // Nor are 150 bytes.
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a m1 m2 m3", 10);
    shelf.put("h2", "H2 m1 m2 m3 n", 20);
    assert_eq!(shelf.exports().len(), 2);
    // A summary alone is nothing new.
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b c d", 10);
    shelf.put("h2", "H2 S1 b c d", 20);
    assert_eq!(shelf.exports().len(), 2);
}

#[test]
fn one_line_of_40_bytes_is_enough_in_place_for_who_rewrites() {
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b c", 10);
    shelf.put("h1", "H2 c n", 20);
    shelf.is_one("H2 c n", "H1 a b c H2 n");
    // Not elsewhere.
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b c", 10);
    shelf.put("h2", "H2 c n", 20);
    assert_eq!(shelf.exports().len(), 2);
    // Not a shorter one.
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b hi", 10);
    shelf.put("h1", "H2 hi n", 20);
    assert_eq!(shelf.exports().len(), 2);
    // Not of an agent that only appends.
    let shelf = Shelf::claude();
    shelf.put("h1", "a b c", 10);
    shelf.put("h1", "c n", 20);
    assert_eq!(shelf.exports().len(), 2);
}

#[test]
fn a_summary_may_stand_before_the_end() {
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b c d", 10);
    shelf.put("h1", "H2 S1 c d n", 20);
    shelf.is_one("H2 S1 c d n", "H1 a b c d H2 S1 n");
}

#[test]
fn who_counts_what_it_hides_drops_that_or_more() {
    let before = |skip| {
        let shelf = Shelf::picoclaw();
        shelf.hides("h1", skip);
        shelf.put("h1", "hi1 hi2 hi3 hi4", 10);
        shelf.hides("h1", 0);
        shelf
    };
    let shelf = before(2);
    shelf.put("h1", "hi3 hi4 hi5", 20);
    shelf.is_one("hi3 hi4 hi5", "hi1 hi2 hi3 hi4 hi5");
    // It has hidden one more since.
    let shelf = before(2);
    shelf.put("h1", "hi4 hi5", 20);
    shelf.is_one("hi4 hi5", "hi1 hi2 hi3 hi4 hi5");
    // It would have dropped three.
    let shelf = before(3);
    shelf.put("h1", "hi3 hi4 hi5", 20);
    assert_eq!(shelf.exports().len(), 2);
    // It had hidden none.
    let shelf = before(0);
    shelf.put("h1", "hi3 hi4 hi5", 20);
    assert_eq!(shelf.exports().len(), 2);
}

#[test]
fn known_lines_in_another_order_are_that_in_place_for_who_rewrites() {
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b c", 10);
    shelf.put("h1", "H2 b a c", 20);
    shelf.is_one("H2 b a c", "H1 a b c H2");
    let shelf = Shelf::claude();
    shelf.put("h1", "a b c", 10);
    shelf.put("h1", "b a c", 20);
    assert_eq!(shelf.exports().len(), 2);
    // Elsewhere it is a copy that brings nothing.
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a b c", 10);
    shelf.put("h2", "H1 b a c", 20);
    shelf.is_one("H1 a b c", "H1 a b c");
}

#[test]
fn lines_that_come_back_are_the_records_that_they_were_but_short_ones() {
    let shelf = Shelf::ggcode();
    shelf.put("h1", "H1 a hi b c", 10);
    shelf.put("h1", "H2 b c", 20);
    shelf.put("h1", "H3 b c a hi", 30);
    shelf.is_one("H3 b c a hi", "H1 a hi b c H2 H3 hi");
}
