//! Pages of the documentation that name tests: their tables, and whether those tests are there.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::File;

/// Rows of the page's tables, as their cells.
pub(crate) fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// What stands in the code marks of a text.
pub(crate) fn marked(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The names of the tests in a file, or of its contracts, which are run as tests.
fn tests_of(file: &File) -> BTreeSet<&str> {
    let is_of_contracts = file.path.starts_with("src/conformance/");
    let before = if is_of_contracts { "fn " } else { "#[test]" };
    let after = file.text.split(before).skip(1);
    after
        .filter_map(|rest| {
            let rest = if is_of_contracts {
                rest
            } else {
                rest.split_once("fn ")?.1
            };
            rest.split(|letter: char| letter != '_' && !letter.is_alphanumeric())
                .next()
        })
        .collect()
}

/// Tests that a cell names, as `file::test`; `homes::x` stands for tests/it/homes.rs.
pub(crate) fn tests(cell: &str) -> Vec<(String, &str)> {
    let named = marked(cell).filter_map(|name| name.rsplit_once("::"));
    named
        .map(|(file, test)| match file.strip_prefix("src/") {
            Some(_) => (format!("{file}.rs"), test),
            None => (format!("tests/it/{}.rs", file.replace("::", "/")), test),
        })
        .collect()
}

/// The tests of the repository, by file.
#[derive(Debug)]
pub(crate) struct Tests<'f>(BTreeMap<&'f str, BTreeSet<&'f str>>);

impl<'f> Tests<'f> {
    /// Those of the files.
    pub(crate) fn of(files: &'f [File]) -> Self {
        let named = files
            .iter()
            .map(|file| (file.path.as_str(), tests_of(file)));
        Self(named.collect())
    }

    /// Whether a file has a test of that name.
    pub(crate) fn has(&self, file: &str, test: &str) -> bool {
        let names = self.0.get(file);
        names.is_some_and(|names| names.contains(test))
    }
}
