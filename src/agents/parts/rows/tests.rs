//! Rows as lines, by the one rule.

use std::ops::ControlFlow;

use rusqlite::Connection;

use super::*;
use crate::agents::database::DatabaseSession;
use crate::agents::pebble::Pebble;

const TABLES: Tables = Tables {
    agent: "pebble",
    sessions: Sessions {
        table: "talks",
        id: "id",
        project: Some("folder"),
        first: &[Column::Plain("born")],
        last: &[
            Column::Plain("name"),
            Column::Member("about", "mood"),
            Column::Plain("not there"),
        ],
        beside: &[Beside::Rows {
            table: "labels",
            of: ("talk", "id"),
            order: &["label"],
            columns: &[Column::Plain("label")],
        }],
        sums: &[Sums {
            table: "spent",
            session: "talk",
            by: "model",
            columns: &["tokens"],
        }],
    },
    messages: Messages {
        table: "said",
        session: "talk",
        order: &["at"],
        form: Form::Row(&[
            Column::Plain("who"),
            Column::Json("words"),
            Column::Plain("at"),
        ]),
        beside: &[],
    },
    format: &Pebble,
};

const SQL: &str = r#"
    CREATE TABLE talks (id TEXT, folder TEXT, born INTEGER, name TEXT, about TEXT, secret TEXT);
    CREATE TABLE said (talk TEXT, who TEXT, words TEXT, at REAL, secret TEXT);
    CREATE TABLE labels (talk TEXT, label TEXT);
    CREATE TABLE spent (talk TEXT, model TEXT, tokens INTEGER);
    INSERT INTO talks VALUES ('b', '/w', 7, 'B "1"', '{"mood": [1.50], "secret": 1}', 's'), ('a', NULL, NULL, NULL, 'no json', NULL), (NULL, NULL, NULL, NULL, NULL, NULL);
    INSERT INTO said VALUES ('b', 'two', 'no {json', 2.5, 's'), ('b', 'one', '{ "a" : 1e400 }', 1, 's'), ('b', NULL, NULL, 3, NULL);
    INSERT INTO labels VALUES ('b', 'y'), ('b', 'x'), ('c', 'z');
    INSERT INTO spent VALUES ('b', 'm', 2), ('b', 'm', 3), ('b', 'n', 10), ('c', 'm', 9);
"#;

fn opened(folder: &Path, sql: &str, rows: usize) -> Opened {
    let path = folder.join("a.db");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let bounds = crate::agents::parts::sqlite::sql::Bounds {
        rows,
        bytes: 1 << 20,
    };
    Opened::bounded(&path, &[&TABLES], (bounds, None)).unwrap()
}

fn lines(session: &DatabaseSession) -> Vec<String> {
    let document = &session.document;
    let all = document.lines.iter().chain(&document.trailer);
    all.map(|line| String::from_utf8(line.clone()).unwrap())
        .collect()
}

#[test]
fn a_row_is_its_named_columns_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = opened(folder.path(), SQL, 100);
    let (listed, problems) = database.sessions().unwrap();
    let listed: Vec<_> = listed
        .into_iter()
        .map(|listed| (listed.id, listed.project))
        .collect();
    assert_eq!(
        listed,
        [
            ("a".to_owned(), None),
            ("b".to_owned(), Some("/w".to_owned()))
        ]
    );
    assert_eq!(problems, ["1 sessions without an id"]);
    let session = database.session("b").unwrap().unwrap();
    assert_eq!(session.problems, Vec::<String>::new());
    assert_eq!(
        lines(&session),
        [
            "{\"agent\":\"pebble\",\"kind\":\"session\",\"entry\":{\"id\":\"b\",\"born\":7}}\n",
            "{\"agent\":\"pebble\",\"kind\":\"said\",\"entry\":{\"who\":\"one\",\"words\":{\"a\":1e400},\"at\":1.0}}\n",
            "{\"agent\":\"pebble\",\"kind\":\"said\",\"entry\":{\"who\":\"two\",\"words\":\"no {json\",\"at\":2.5}}\n",
            "{\"agent\":\"pebble\",\"kind\":\"said\",\"entry\":{\"at\":3.0}}\n",
            "{\"agent\":\"pebble\",\"kind\":\"session\",\"entry\":{\"id\":\"b\",\"name\":\"B \\\"1\\\"\",\"mood\":[1.50],\"labels\":[{\"label\":\"x\"},{\"label\":\"y\"}],\"spent\":[{\"model\":\"m\",\"tokens\":5},{\"model\":\"n\",\"tokens\":10}]}}\n",
        ]
    );
    let bare = database.session("a").unwrap().unwrap();
    assert_eq!(lines(&bare).len(), 1, "nothing but its id");
    assert!(database.session("c").unwrap().is_none());
}

#[test]
fn a_walk_and_an_outline_give_the_same_lines_as_a_session() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = opened(folder.path(), SQL, 100);
    let whole = lines(&database.session("b").unwrap().unwrap());
    let mut walked = Vec::new();
    let end = database.walk("b", &mut |number, line| {
        walked.push((number, String::from_utf8(line.to_vec()).unwrap()));
        ControlFlow::Continue(())
    });
    assert!(!end.unwrap().unwrap().stopped);
    let numbers: Vec<_> = walked.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [None, None, Some(1), Some(2), Some(3)]);
    assert_eq!((&walked[0].1, &walked[1].1), (&whole[0], &whole[4]));
    assert_eq!(walked[4].1, whole[3]);
    let outline = database.outline("b").unwrap().unwrap();
    assert_eq!((outline.messages, outline.left_out.len()), (3, 0));
}

#[test]
fn what_is_beyond_a_bound_is_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = opened(folder.path(), SQL, 1);
    let (listed, problems) = database.sessions().unwrap();
    assert_eq!(listed.len(), 1);
    assert!(problems[0].contains("more than 1 sessions"), "{problems:?}");
    let session = database.session("b").unwrap().unwrap();
    assert_eq!(session.document.lines.len(), 2);
    assert!(session.problems[0].contains("more than 1 messages"));
}

#[test]
fn a_circle_of_a_chain_has_an_end() {
    const CHAIN: Chain = Chain {
        links: ("links", "id", "before"),
        from: ("turns", "talk", "tip"),
        column: "who",
        table: "words",
        of: "link",
        order: &[],
        columns: &[Column::Plain("text")],
    };
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE links (id, before, who); CREATE TABLE words (link, text);
            CREATE TABLE turns (talk, tip);
            INSERT INTO links VALUES (1, 2, 'x'), (2, 1, 'y'), (3, 2, 'z'); INSERT INTO words VALUES (2, 'b'), (3, 'c');",
        )
        .unwrap();
    let read = || {
        let from = [3.into(), "t".to_owned().into()];
        let found = Beside::Chain(CHAIN).read(&connection, &from).unwrap();
        found.unwrap().1
    };
    let endless = read().matches("\"b\"").count();
    assert!((2..=10_000).contains(&endless), "{endless}");
    // It goes back to where another turn ended.
    connection
        .execute_batch("INSERT INTO turns VALUES ('t', 1), ('t', 3), ('other', 2)")
        .unwrap();
    let expected = r#"[{"who":"y","text":"b"},{"who":"z","text":"c"}]"#;
    assert_eq!(read(), expected);
}
