//! Circles of files: sets whose modules all lead to each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::arrows;
use crate::source::File;

/// The circles: sets of files that all lead to each other.
pub(crate) fn circles(arrows: &BTreeMap<String, BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let reached = |from: &String| {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(file) = open.pop() {
            for next in arrows.get(file).into_iter().flatten() {
                if reached.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        reached
    };
    let all: BTreeMap<&String, BTreeSet<String>> =
        arrows.keys().map(|file| (file, reached(file))).collect();
    let mut circles = BTreeSet::new();
    for (file, others) in &all {
        if others.contains(*file) {
            let leads_back =
                |other: &&String| all.get(other).is_some_and(|them| them.contains(*file));
            circles.insert(others.iter().filter(leads_back).cloned().collect());
        }
    }
    circles.into_iter().collect()
}

/// How many circles files have, of which those of `src/one/` count as one.
fn found(texts: &[(&str, &str)]) -> usize {
    let root = File::new("src/lib.rs", "mod a; mod b; mod one; pub use a::A;");
    let texts = texts.iter().map(|(path, text)| File::new(path, text));
    let files: Vec<File> = texts.chain([root]).collect();
    circles(&arrows(&files, &["src/one/"])).len()
}

#[test]
fn a_circle_of_files_is_found() {
    // By an import, by a path in code, in a macro, and by a name that is passed on.
    assert_eq!(
        found(&[
            ("src/a.rs", "use crate::b::B; struct A;"),
            ("src/b.rs", "use super::a::A;")
        ]),
        1
    );
    assert_eq!(
        found(&[
            ("src/a.rs", "fn f() { crate::b::g() }"),
            ("src/b.rs", "fn g() { assert!(crate::a::f()) }")
        ]),
        1
    );
    assert_eq!(
        found(&[
            ("src/a.rs", "use crate::b::B; struct A;"),
            ("src/b.rs", "fn g(a: crate::A) {}")
        ]),
        1
    );
    assert_eq!(
        found(&[
            ("src/a/mod.rs", "mod c; use self::c::C; fn f() {}"),
            ("src/a/c.rs", "use super::f;")
        ]),
        1
    );
    assert_eq!(
        found(&[
            ("src/a/mod.rs", "mod c; fn f() { c::g() }"),
            ("src/a/c.rs", "fn g() { super::f() }")
        ]),
        1
    );
    // In a package of its own.
    let other = [
        File::new("other/src/main.rs", "mod a; mod b;"),
        File::new("other/src/a.rs", "use super::b::B; struct A;"),
        File::new("other/src/b.rs", "use crate::a::A; struct B;"),
    ];
    let circle = ["other/src/a.rs", "other/src/b.rs"].map(str::to_owned);
    assert_eq!(circles(&arrows(&other, &[])), [BTreeSet::from(circle)]);
    // By a module that the list of agents declares.
    let list = "struct One; agents! { c::C, #[cfg(test)] t::T, }";
    let up = "use super::One; struct C;";
    assert_eq!(found(&[("src/a/mod.rs", list), ("src/a/c.rs", up)]), 1);
    assert_eq!(found(&[("src/a/mod.rs", list), ("src/a/t.rs", up)]), 0);
}

#[test]
fn what_is_no_circle_is_not_found() {
    // What is passed on and not used, what is for tests, who sees an item of a macro's, and what is looked at as one.
    assert_eq!(
        found(&[
            ("src/a/mod.rs", "mod c; pub use self::c::C; fn f() {}"),
            ("src/a/c.rs", "use super::f;")
        ]),
        0
    );
    assert_eq!(
        found(&[
            ("src/a.rs", "use crate::b::B;"),
            ("src/b.rs", "#[cfg(test)] mod tests { use crate::a::A; }")
        ]),
        0
    );
    assert_eq!(
        found(&[
            ("src/a/mod.rs", "mod c; use self::c::C; fn f() {}"),
            ("src/a/c.rs", "fields! { pub(super) C {} }")
        ]),
        0
    );
    assert_eq!(
        found(&[
            ("src/one/mod.rs", "mod c; mod d;"),
            ("src/one/c.rs", "use super::d::D;"),
            ("src/one/d.rs", "use super::c::C;")
        ]),
        0
    );
    assert_eq!(
        found(&[
            ("src/a.rs", "use crate::one::c::C;"),
            ("src/one/mod.rs", "mod c; mod d;"),
            ("src/one/c.rs", ""),
            ("src/one/d.rs", "use crate::a::A;")
        ]),
        1
    );
}
