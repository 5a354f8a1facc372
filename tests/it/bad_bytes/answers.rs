//! All that can be asked of a store, as text: an answer is right, or it is an error.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use scrollback::{
    Direction, Error, Expect, ListQuery, NewRecord, RedbStore, Result, ScanQuery, SessionKey,
    Store, StoreExt as _,
};

use super::store::options;

/// Questions and answers.
pub(crate) type Answers = BTreeMap<String, Result<String>>;

/// Asks all questions of a store that is opened for reading.
pub(crate) fn ask(path: &Path, keys: &[SessionKey]) -> Result<Answers> {
    let store = RedbStore::open_read_only(path, options())?;
    let mut answers = Answers::new();
    let mut tell = |question: String, answer: Result<String>| {
        answers.insert(question, answer);
    };
    tell("list".to_owned(), list(&store, None));
    for project in ["/work/", "/given/"] {
        for number in 0..2 {
            let long = "of-some-length-".repeat(8);
            let project = format!("{project}{long}/{number}");
            tell(
                format!("list {number} {}", &project[..6]),
                list(&store, Some(project)),
            );
        }
    }
    tell(
        "stats".to_owned(),
        store.stats().map(|stats| format!("{:?}", stats.agents)),
    );
    tell(
        "find".to_owned(),
        store.find("1", 100).map(|found| format!("{found:?}")),
    );
    for key in keys {
        let id = key.to_string();
        tell(
            format!("summary {id}"),
            store.summary(key).map(|s| format!("{s:?}")),
        );
        tell(
            format!("load {id}"),
            store.load(key).map(|s| format!("{s:?}")),
        );
        tell(format!("scan {id}"), scan(&store, key, Direction::Forward));
        tell(format!("back {id}"), scan(&store, key, Direction::Backward));
        let properties = store.properties(key);
        let aliases = properties
            .as_ref()
            .map(|p| p.aliases.clone())
            .unwrap_or_default();
        tell(
            format!("properties {id}"),
            properties.map(|p| format!("{p:?}")),
        );
        let attachments = store.attachments(key);
        if let Ok(attachments) = &attachments {
            for info in attachments {
                let mut content = Vec::new();
                let read = store.read_attachment(key, &info.name, &mut content);
                let content = String::from_utf8_lossy(&content).into_owned();
                tell(format!("file {id} {}", info.name), read.map(|()| content));
            }
        }
        tell(format!("files {id}"), attachments.map(|a| format!("{a:?}")));
        for alias in aliases {
            let alias = SessionKey::new(key.agent(), alias).unwrap();
            let found = store.by_alias(&alias);
            tell(
                format!("alias {alias}"),
                found.map(|found| format!("{found:?}")),
            );
        }
    }
    Ok(answers)
}

fn list(store: &RedbStore, project: Option<String>) -> Result<String> {
    let mut query = {
        let mut asked = ListQuery::default();
        asked.project = project;
        asked.limit = 7;
        asked
    };
    let mut text = String::new();
    // A store that answers with the same place for ever is caught here.
    for _ in 0..100 {
        let page = store.list(&query)?;
        for summary in page.sessions {
            writeln!(text, "{summary:?}").unwrap();
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(text),
        }
    }
    panic!("a list without end");
}

fn scan(store: &RedbStore, key: &SessionKey, direction: Direction) -> Result<String> {
    let query = ScanQuery::default().with_direction(direction);
    let mut text = String::new();
    for record in store.records(key, query) {
        let record = record?;
        let line = String::from_utf8_lossy(&record.line);
        write!(text, "{} {:?} {line}", record.sequence, record.header).unwrap();
    }
    Ok(text)
}

/// Appends to a session, and reads it.
pub(crate) fn append(path: &Path, key: &SessionKey) -> Result<String> {
    let store = RedbStore::open(path, options())?;
    let record = NewRecord::line("{\"role\":\"user\",\"content\":\"later\"}\n");
    store.append(key, Expect::Any, None, &[record])?;
    scan(&store, key, Direction::Forward)
}

/// Whether an error is one that damage may lead to.
pub(crate) fn is_typed(error: &Error) -> bool {
    matches!(
        error,
        Error::Corrupt { .. }
            | Error::NotAStore { .. }
            | Error::UnsupportedVersion { .. }
            | Error::CommitUnknown { .. }
            | Error::Storage { .. }
    )
}
