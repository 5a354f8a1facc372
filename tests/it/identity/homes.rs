//! Ids that hold in one folder, and ids that hold everywhere.

use super::shelf::Shelf;

#[test]
fn an_id_of_a_folder_is_another_session_in_another_folder() {
    let shelf = Shelf::notes();
    shelf.put("h1", "a b c", 10);
    shelf.put("h2", "x y z", 20);
    shelf.is(&["a b c", "x y z"]);
    // Each goes on in its folder.
    shelf.put("h1", "a b c d", 30);
    shelf.put("h2", "y z w", 40);
    shelf.is(&["a b c d", "y z w"]);
    let contents = shelf.summary().contents;
    assert_eq!(contents, 1);
}

#[test]
fn a_unique_id_is_one_session_wherever_its_file_lies() {
    let shelf = Shelf::claude();
    shelf.put("h1", "a b c", 10);
    shelf.put("h2", "x y z", 20);
    let contents = shelf.summary().contents;
    assert_eq!(contents, 2);
    shelf.put("h3", "x y z w", 30);
    shelf.is(&["x y z w", "a b c"]);
}

#[test]
fn a_copy_in_another_folder_that_begins_so_is_the_session() {
    let shelf = Shelf::notes();
    shelf.put("h1", "a b c", 10);
    shelf.put("h2", "a b c d", 20);
    shelf.is_one("a b c d", "a b c d");
    // It has both folders from then on.
    shelf.put("h1", "p q r", 30);
    shelf.put("h2", "s t u", 40);
    assert_eq!(shelf.summary().contents, 3);
}

#[test]
fn a_copy_in_another_folder_that_brings_nothing_is_the_session() {
    let shelf = Shelf::notes();
    shelf.put("h1", "a b c d", 10);
    shelf.put("h2", "a b c", 20);
    shelf.is_one("a b c d", "a b c d");
}

#[test]
fn too_little_in_common_makes_no_session_of_two_folders() {
    // The same first lines, and then others.
    let shelf = Shelf::notes();
    shelf.put("h1", "m1 m2 m3 a", 10);
    shelf.put("h2", "m1 m2 m3 b", 20);
    shelf.is(&["m1 m2 m3 a", "m1 m2 m3 b"]);
    // Two lines.
    let shelf = Shelf::notes();
    shelf.put("h1", "L1 L2", 10);
    shelf.put("h2", "L1 L2 b", 20);
    shelf.is(&["L1 L2", "L1 L2 b"]);
    // A piece from the middle.
    let shelf = Shelf::notes();
    shelf.put("h1", "a b c d e", 10);
    shelf.put("h2", "b c d", 20);
    shelf.is(&["a b c d e", "b c d"]);
}

#[test]
fn a_file_that_was_cut_short_is_too_little_to_begin_one_of_another_folder() {
    let shelf = Shelf::picoclaw();
    shelf.put("h1", "a b c d", 10);
    shelf.put("h1", "a b", 20);
    shelf.put("h2", "a b c x", 30);
    shelf.is(&["a b", "a b c x"]);
}

#[test]
fn a_file_that_says_another_id_later_is_the_session_of_its_path() {
    let shelf = Shelf::picoclaw();
    shelf.put("h1", "a", 10);
    shelf.says_key("h1", "telegram:1", 0);
    shelf.put("h1", "a b", 20);
    shelf.is(&["a b"]);
}

#[test]
fn a_session_that_was_made_here_takes_the_first_folder_that_begins_so() {
    let shelf = Shelf::notes();
    shelf.here("a b");
    shelf.put("h1", "a", 10);
    shelf.is_one("a b", "a b");
    let shelf = Shelf::notes();
    shelf.here("a b");
    shelf.put("h1", "a b c", 10);
    shelf.is_one("a b c", "a b c");
    shelf.put("h2", "x", 20);
    shelf.is(&["a b c", "x"]);
    // Another one is a session beside it.
    let shelf = Shelf::notes();
    shelf.here("a b");
    shelf.put("h1", "x y", 10);
    shelf.is(&["a b", "x y"]);
}
