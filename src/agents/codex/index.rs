//! `session_index.jsonl`: the names that users gave to threads, one a line. A later line for a thread
//! goes before an earlier one, and an empty name takes it back.

use crate::agents::parts::fields::{fields, owned, text};
use crate::agents::parts::lines::body;
use crate::agents::parts::titles;
use crate::agents::state::SidecarFacts;

/// The name of the index.
pub(super) const NAME: &str = "session_index.jsonl";

/// What it tells: of each thread the last name, the threads in the order in which they were last named.
pub(super) fn facts(bytes: &[u8]) -> Vec<SidecarFacts> {
    let text_of = String::from_utf8_lossy(bytes);
    let mut all: Vec<SidecarFacts> = text_of.lines().filter_map(row).collect();
    // Whoever is told takes the first of several for one thread.
    all.reverse();
    all
}

fn row(line: &str) -> Option<SidecarFacts> {
    let [id, name] = fields(body(line), &["id", "thread_name"]).ok()?;
    Some(SidecarFacts {
        id: owned(id)?,
        title: text(name).map(Into::into),
        title_rank: Some(titles::GENERATED),
        ..SidecarFacts::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_name_of_a_thread_is_the_first_that_is_told() {
        let index = b"{\"id\":\"a\",\"thread_name\":\"One\"}\n{\"id\":\"b\",\"thread_name\":\"B\"}\nno json\n{\"thread_name\":\"x\"}\n{\"id\":\"a\",\"thread_name\":\"Two\",\"updated_at\":\"2026-11-20T10:05:00Z\"}\n";
        let told: Vec<(String, Option<String>)> = facts(index)
            .into_iter()
            .map(|facts| (facts.id, facts.title))
            .collect();
        let expected = [("a", "Two"), ("b", "B"), ("a", "One")];
        let expected = expected.map(|(id, title)| (id.to_owned(), Some(title.to_owned())));
        assert_eq!(told, expected);
        assert!(facts(b"\xff\n[]\n").is_empty());
    }
}
