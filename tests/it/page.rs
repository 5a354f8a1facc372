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

/// Tests that a cell names, as `file::test`; `homes::x` stands for tests/it/homes.rs, or for the
/// file of that name among the tests of the tool, and `postgres/x::y` for one of the store on a server.
pub(crate) fn tests(cell: &str) -> Vec<(String, &str)> {
    let named = marked(cell).filter_map(|name| name.rsplit_once("::"));
    named
        .map(|(file, test)| {
            if file.starts_with("src/") || file.starts_with("cli/src/") {
                (format!("{file}.rs"), test)
            } else if let Some(file) = file.strip_prefix("postgres/") {
                (format!("postgres/tests/it/{file}.rs"), test)
            } else {
                (format!("tests/it/{}.rs", file.replace("::", "/")), test)
            }
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
        let of_tool = format!("cli/{file}");
        let places = [self.0.get(file), self.0.get(&*of_tool)];
        places
            .into_iter()
            .flatten()
            .any(|names| names.contains(test))
    }
}
