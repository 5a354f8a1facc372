//! What agents' own programs wrote (`tests/make`), imported: what a list and a transcript say of it, nothing of an
//! unknown kind, the same again from an export, and grown from an earlier state.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use scrollback::{
    Error, RecordKind, RedbStore, Role, ScanQuery, Store as _, StoreExt as _, put_back,
};
use serde_json::value::RawValue;

use crate::harness::{Home, files_below};
use crate::homes::{MADE, export, key};
use crate::import::{open, run_clean, run_in, sessions};
use crate::table_agents::{talk, took};

/// A session as a list has it: its id, title and parent, how many messages, and what it took.
type Listed = (
    &'static str,
    &'static str,
    Option<&'static str>,
    u64,
    (u64, u64),
);

/// What a program wrote: its agent, the folder of the fixture, where it lies in a home, and its sessions.
struct Written {
    agent: &'static str,
    folder: &'static str,
    place: &'static str,
    sessions: &'static [Listed],
}

const OPENCODE: &str = "ses_dd30690c2ffeOdxNlHkzn77ezy";
const KILO: &str = "ses_dd305aed2ffecnz9Vo6C5AZN4w";
const KILO_FORK: &str = "ses_dd3048ca6ffemuQnEsGQ2DBSKj";
const AUGGIE: &str = "56596f1e-46fe-4a87-8fbe-f8354c0f4ba5";
const CLINE: &str = "1796050773184_odxoc";
const OMP: &str = "01a22cfa-9165-7399-b5f7-75ed194191aa";
const OPENCLAW: &str = "d9576977-b99a-4805-8d6c-7cc5c7f637e2";

const WRITTEN: [Written; 7] = [
    Written {
        agent: "opencode",
        folder: "opencode",
        place: ".local/share/opencode",
        sessions: &[
            (
                "ses_dd3063e59ffeSKVMlOD6sy8KJ2",
                "Three hues (fork #1)",
                None,
                11,
                (360, 42),
            ),
            (
                "ses_dd3064eb9ffeSeNPAyN29Jqgfz",
                "Look for blue (@general subagent)",
                Some(OPENCODE),
                2,
                (60, 7),
            ),
            (OPENCODE, "Three hues", None, 12, (420, 49)),
        ],
    },
    Written {
        agent: "kilo",
        folder: "kilo",
        place: ".local/share/kilo",
        sessions: &[
            (
                "ses_dd3048b97ffenSb0Tf2343ARLw",
                "Look for blue (@general subagent)",
                Some(KILO_FORK),
                2,
                (60, 7),
            ),
            (KILO_FORK, "\"name the hues\"", None, 11, (360, 42)),
            (
                "ses_dd304ba12fferJ2DDuoVX7ZLCl",
                "Look for blue (@general subagent)",
                Some(KILO),
                2,
                (60, 7),
            ),
            (KILO, "They named hues.", None, 12, (420, 49)),
        ],
    },
    Written {
        agent: "auggie",
        folder: "auggie",
        place: ".augment/sessions",
        sessions: &[(AUGGIE, "name the hues", None, 8, (0, 0))],
    },
    Written {
        agent: "cline",
        folder: "cline",
        place: ".cline/data/sessions",
        sessions: &[
            (CLINE, "name the hues", None, 8, (400, 28)),
            (
                "agent_1796050789343_10on5j",
                "look for blue",
                Some(CLINE),
                2,
                (100, 7),
            ),
        ],
    },
    Written {
        agent: "continue",
        folder: "continue",
        place: ".continue/sessions",
        sessions: &[
            (
                "ad2aa155-7ccf-4692-b0d0-4cd59ca90066",
                "name the hues",
                None,
                6,
                (400, 28),
            ),
            (
                "d4aeb496-cfa0-4503-a2b2-97065d922bc0",
                "name the hues",
                None,
                8,
                (100, 7),
            ),
        ],
    },
    Written {
        agent: "pi",
        folder: "omp",
        place: ".omp/agent/sessions",
        sessions: &[
            (OMP, "name the hues", None, 10, (300, 35)),
            (
                "01a22cfa-b848-74bb-b7b9-a2b63d24297a",
                "Complete assignment thoroughly: look for blue",
                Some(OMP),
                8,
                (240, 28),
            ),
        ],
    },
    Written {
        agent: "openclaw",
        folder: "openclaw",
        place: ".openclaw/agents/main/agent",
        sessions: &[(OPENCLAW, "name the hues", None, 12, (360, 42))],
    },
];

/// Puts what a program wrote where it keeps it.
fn made(home: &Home, written: &Written) -> Vec<PathBuf> {
    let from = Path::new(MADE).join(written.folder);
    let files = files_below(&from).into_iter().map(|path| {
        let below = path.strip_prefix(&from).unwrap().to_str().unwrap();
        let bytes = fs::read(&path).unwrap();
        home.write(&format!("in/{}/{below}", written.place), bytes)
    });
    files.collect()
}

fn imported(written: &Written) -> (Home, RedbStore) {
    let home = Home::new();
    made(&home, written);
    let store = open(&home);
    run_clean(&home, &store, written.sessions.len() as u64);
    (home, store)
}

#[test]
fn what_programs_wrote_is_listed_as_they_know_it() {
    for written in &WRITTEN {
        let (home, store) = imported(written);
        let mut found = sessions(&store);
        found.sort_by(|a, b| a.key.id().cmp(b.key.id()));
        let listed: Vec<_> = found
            .iter()
            .map(|one| {
                let took = took(&store, written.agent, one.key.id());
                let parent = one.parent.as_deref();
                assert_eq!(one.key.agent(), written.agent);
                assert_eq!(one.project.as_deref(), Some("/tmp/shop"), "{one:?}");
                let has_model = written.agent != "auggie";
                assert_eq!(
                    one.model.as_deref(),
                    has_model.then_some("hue-1"),
                    "{one:?}"
                );
                assert_eq!(one.subagent, parent.is_some(), "{one:?}");
                (one.key.id(), &*one.title, parent, one.message_count, took)
            })
            .collect();
        assert_eq!(listed, written.sessions);
        for one in &found {
            for record in store.records(&one.key, ScanQuery::default()) {
                let record = record.unwrap();
                assert_ne!(record.header.kind, RecordKind::Unknown, "{record:?}");
            }
        }
        assert_eq!(run_in(&home, &store).records, 0, "{}", written.agent);
    }
}

#[test]
fn what_programs_wrote_is_the_same_when_it_comes_back_from_an_export() {
    for written in &WRITTEN {
        let (home, store) = imported(written);
        let other = Home::new();
        let out = export(&home, &store);
        for file in files_below(&out) {
            let below = file.strip_prefix(&out).unwrap().to_str().unwrap();
            other.write(&format!("in/{below}"), fs::read(&file).unwrap());
        }
        let again = open(&other);
        run_in(&other, &again);
        for one in sessions(&store) {
            let found = again.summary(&one.key).unwrap();
            assert_eq!((&found.title, &found.parent), (&one.title, &one.parent));
            let messages = |store: &RedbStore| store.load(&one.key).unwrap().messages;
            assert_eq!(messages(&again), messages(&store), "{}", one.key);
        }
    }
}

#[test]
fn what_programs_put_beside_what_was_said_is_told_from_it() {
    let [opencode, kilo, _, cline, _, omp, openclaw] = &WRITTEN;
    for (written, id) in [(opencode, OPENCODE), (kilo, KILO)] {
        let (_home, store) = imported(written);
        let session = store.load(&key(written.agent, id)).unwrap();
        let said: Vec<_> = session.messages[6..9]
            .iter()
            .map(|one| (one.role, one.injected, one.plain_text()))
            .collect();
        // A compaction: that it begins, its summary; and what Kilo adds to the next question is not in it.
        let expected = [
            (Role::User, true, ""),
            (Role::System, true, "They named hues."),
            (Role::User, false, "the fourth?"),
        ];
        assert_eq!(
            said,
            expected.map(|(role, injected, text)| (role, injected, text.to_owned()))
        );
    }
    let asked = |written: &Written, id: &str| {
        let (_home, store) = imported(written);
        let said = talk(&store, written.agent, id).into_iter();
        let asked = said.filter(|(role, _)| *role == Role::User);
        asked.map(|(_, text)| text).collect::<Vec<_>>()
    };
    assert_eq!(asked(cline, CLINE), ["name the hues", "and blue?"]);
    assert_eq!(asked(omp, OMP), ["name the hues", "and blue?"]);
    let expected = ["name the hues", "and the other file?", "and blue?"];
    assert_eq!(asked(openclaw, OPENCLAW), expected);
}

/// An earlier state of a document: without the last two of these members, every other byte as it is.
fn earlier(document: &str, members: &str) -> String {
    let whole: BTreeMap<&str, &RawValue> = serde_json::from_str(document).unwrap();
    let list: Vec<&RawValue> = serde_json::from_str(whole[members].get()).unwrap();
    let end =
        |one: &RawValue| one.get().as_ptr() as usize + one.get().len() - document.as_ptr() as usize;
    let [.., kept, _, last] = &list[..] else {
        panic!("too few {members}");
    };
    document[..end(kept)].to_owned() + &document[end(last)..]
}

/// What an earlier state of a session did not have yet: its last two rows in a table, members of a document, or
/// three lines.
#[derive(Clone, Copy)]
enum Later {
    Rows(&'static str),
    Members(&'static str),
    Lines,
}

impl Later {
    /// Takes it out of a file.
    fn take_out(self, path: &Path, id: &str) {
        match self {
            Self::Rows(table) => {
                let database = rusqlite::Connection::open(path).unwrap();
                let of_session = format!("FROM {table} WHERE session_id = ?1");
                let last = format!("SELECT rowid {of_session} ORDER BY rowid DESC LIMIT 2");
                let sql = format!("DELETE FROM {table} WHERE rowid IN ({last})");
                assert_eq!(database.execute(&sql, [id]).unwrap(), 2);
            }
            Self::Members(members) => {
                let document = fs::read_to_string(path).unwrap();
                fs::write(path, earlier(&document, members)).unwrap();
            }
            Self::Lines => {
                let text = fs::read_to_string(path).unwrap();
                let lines: Vec<&str> = text.split_inclusive('\n').collect();
                fs::write(path, lines[..lines.len() - 3].concat()).unwrap();
            }
        }
    }
}

#[test]
fn a_session_that_a_program_goes_on_with_grows() {
    let [opencode, kilo, auggie, cline, _, omp, openclaw] = &WRITTEN;
    let rows = [
        (opencode, OPENCODE, "opencode.db", Later::Rows("message")),
        (kilo, KILO, "kilo.db", Later::Rows("message")),
        (auggie, AUGGIE, "ba5.json", Later::Members("chatHistory")),
        (
            cline,
            CLINE,
            "odxoc.messages.json",
            Later::Members("messages"),
        ),
        (omp, OMP, "191aa.jsonl", Later::Lines),
        (
            openclaw,
            OPENCLAW,
            "agent.sqlite",
            Later::Rows("transcript_events"),
        ),
    ];
    for (written, id, file, later) in rows {
        let home = Home::new();
        let files = made(&home, written);
        let path = files
            .iter()
            .find(|path| path.to_str().unwrap().ends_with(file))
            .unwrap();
        let whole = fs::read(path).unwrap();
        later.take_out(path, id);
        let store = open(&home);
        run_clean(&home, &store, written.sessions.len() as u64);
        let before = talk(&store, written.agent, id);
        fs::write(path, whole).unwrap();
        let report = run_in(&home, &store);
        assert_eq!((report.sessions, report.generations), (0, 0), "{report:?}");
        let after = talk(&store, written.agent, id);
        assert!(before.len() < after.len(), "{id}: {before:?}");
        assert_eq!(after[..before.len()], before, "{id}");
        let (_home, at_once) = imported(written);
        assert_eq!(after, talk(&at_once, written.agent, id), "{id}");
    }
}

#[test]
fn what_programs_wrote_is_put_back_where_they_look_for_it() {
    let [_, _, auggie, cline, _, omp, _] = &WRITTEN;
    for (written, id, home_of, is_put) in [
        (auggie, AUGGIE, ".augment", true),
        (cline, CLINE, ".cline/data", true),
        (omp, OMP, ".omp/agent", true),
        // pi does not find what Oh My Pi wrote.
        (omp, OMP, ".pi/agent", false),
    ] {
        let home = Home::new();
        let files = made(&home, written);
        let before: Vec<_> = files.iter().map(|path| fs::read(path).unwrap()).collect();
        let store = open(&home);
        run_in(&home, &store);
        for path in &files {
            fs::remove_file(path).unwrap();
        }
        let to = home.path().join("in").join(home_of);
        let done = put_back(&store, &key(written.agent, id), &to);
        if !is_put {
            assert!(matches!(done, Err(Error::Unsupported { .. })), "{done:?}");
            continue;
        }
        assert_eq!(done.unwrap().notes, [""; 0]);
        for (path, bytes) in files.iter().zip(before) {
            // Of Oh My Pi's what a sub-agent answered lies beside, and is not taken.
            if path.extension().is_some_and(|end| end != "md") {
                assert_eq!(fs::read(path).unwrap(), bytes, "{}", path.display());
            }
        }
    }
}
