//! Limits of what is read of a file that is kept whole, and of what a report lists: at them and one
//! past them. What is beyond is kept or counted, and said.

use scrollback::limits::LINE_MESSAGES_MAX;
use scrollback::report::ImportReport;
use scrollback::{ImportOptions, ListQuery, Options, RedbStore, Session, Store, import};

use crate::harness::Home;

/// The three limits of files, as the source has them; `limit_table` compares.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;
pub(crate) const FACTS_BYTES_MAX: usize = 16 * 1024 * 1024;
pub(crate) const NESTED_IMAGES_MAX: usize = 8;

fn take(home: &Home) -> (RedbStore, ImportReport) {
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let folder = [home.path().join("in")];
    let report = import(
        &store,
        &folder,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    (store, report)
}

/// A text with white space before its last byte, so that it has that many bytes.
fn padded(text: &str, bytes: usize) -> String {
    let (start, end) = text.split_at(text.len() - 1);
    format!("{start}{}{end}", " ".repeat(bytes - text.len()))
}

#[test]
fn an_index_is_used_up_to_its_limit_and_beyond_it_is_kept_and_said() {
    for (bytes, title) in [
        (FACTS_BYTES_MAX, "From the index"),
        (FACTS_BYTES_MAX + 1, ""),
    ] {
        let home = Home::new();
        let folder = "in/.ggcode/sessions";
        home.write(
            &format!("{folder}/s1.jsonl"),
            "{\"type\":\"meta\",\"session_id\":\"s1\"}\n",
        );
        let index = padded("[{\"id\":\"s1\",\"title\":\"From the index\"}]", bytes);
        home.write(&format!("{folder}/index.json"), index);
        let (store, report) = take(&home);
        assert_eq!((report.sessions, report.attachments), (1, 1), "{report:?}");
        let listed = store.list(&ListQuery::default()).unwrap().sessions;
        assert_eq!(listed[0].title, title, "{bytes}");
        let said: Vec<_> = report
            .problems
            .iter()
            .map(|problem| problem.reason.as_str())
            .collect();
        if bytes > FACTS_BYTES_MAX {
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(said[0].contains(&FACTS_BYTES_MAX.to_string()), "{said:?}");
            assert!(said[0].contains("nothing in it is used"), "{said:?}");
        } else {
            assert!(said.is_empty(), "{said:?}");
        }
    }
}

#[test]
#[ignore = "documents of 64 MiB"]
fn a_document_is_read_up_to_its_limit_and_beyond_it_is_kept_and_said() {
    for (bytes, records) in [(DOCUMENT_BYTES_MAX, 2), (DOCUMENT_BYTES_MAX + 1, 0)] {
        let home = Home::new();
        let message = "{\"id\":\"m\",\"type\":\"user\",\"content\":\"hi\"}";
        let document =
            format!("{{\"sessionId\":\"g\",\"projectHash\":\"a\",\"messages\":[{message}]}}");
        home.write("in/g.json", padded(&document, bytes));
        let (store, report) = take(&home);
        assert_eq!((report.sessions, report.attachments), (1, 1), "{report:?}");
        assert_eq!(report.records, records, "{report:?}");
        assert_eq!(
            report.problems.len(),
            usize::from(records == 0),
            "{report:?}"
        );
        let listed = store.list(&ListQuery::default()).unwrap().sessions;
        assert_eq!(listed[0].record_count, records);
    }
}

#[test]
fn a_report_lists_problems_up_to_its_limit_and_counts_the_rest() {
    for (bad, more) in [
        (ImportReport::PROBLEMS_MAX, 0),
        (ImportReport::PROBLEMS_MAX + 1, 1),
    ] {
        let home = Home::new();
        home.write("in/a.jsonl", "x\n".repeat(bad));
        let (_, report) = take(&home);
        assert_eq!(report.malformed, bad as u64);
        assert_eq!(
            (report.problems.len(), report.problems_more),
            (ImportReport::PROBLEMS_MAX, more)
        );
    }
}

#[test]
fn exactly_as_many_messages_of_a_line_are_read_as_promised() {
    let home = Home::new();
    let message = "{\"role\":\"user\",\"content\":\"a\"}";
    home.write("in/at.jsonl", message.repeat(LINE_MESSAGES_MAX));
    let (store, report) = take(&home);
    assert_eq!(report.messages, LINE_MESSAGES_MAX as u64);
    let listed = store.list(&ListQuery::default()).unwrap().sessions;
    assert_eq!(
        store.load(&listed[0].key).unwrap().messages.len(),
        LINE_MESSAGES_MAX
    );
}

#[test]
fn images_nested_up_to_the_limit_are_blocks_and_deeper_ones_stay_json() {
    let home = Home::new();
    let session = Session::native("s").unwrap();
    let line = |levels: usize| {
        let inner = "{\"type\":\"image\",\"url\":\"u\"}".to_owned();
        let deep = (0..levels).fold(inner, |inner, _| {
            format!("{{\"type\":\"tool_result\",\"output\":\"\",\"images\":[{inner}]}}")
        });
        format!(
            "{{\"scrollback\":1,\"type\":\"message\",\"role\":\"tool\",\"content\":[{deep}]}}\n"
        )
    };
    let text = line(NESTED_IMAGES_MAX) + &line(NESTED_IMAGES_MAX + 1) + &line(50_000);
    home.write("in/s.jsonl", text);
    let (store, report) = take(&home);
    assert_eq!((report.messages, report.malformed), (3, 0), "{report:?}");
    let messages = store.load(&session.key).unwrap().messages;
    let shown: Vec<String> = messages
        .iter()
        .map(|message| format!("{message:?}"))
        .collect();
    let results = |at: usize| shown[at].matches("ToolResult").count();
    assert_eq!(
        (results(0), shown[0].contains("Other")),
        (NESTED_IMAGES_MAX, false)
    );
    assert_eq!(
        (results(1), shown[1].contains("Other")),
        (NESTED_IMAGES_MAX, true)
    );
    assert!(shown[2].contains("Other"));
}
