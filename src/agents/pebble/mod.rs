//! Pebble, an agent that there is not: the smallest one that has all that an agent has, for tests
//! alone. `~/.pebble/talks/<id>.jsonl` holds a message a line, `<id>.notes.json` beside it a title.
//!
//! It shows what a new agent takes: this folder, and a line in the list.

use std::path::Path;

use super::agent::{Agent, Samples};
use super::companions::{Companions, Sidecar};
use super::default_home::{DefaultHome, Root};
use super::dialect::{Candidate, Dialect, Recognition};
use super::parts::fields::{fields, fields_of, owned, text};
use super::parts::heads::HeadLine;
use super::parts::lines::{self, Format, Reading};
use super::parts::paths::{self, below, names};
use super::parts::{blocks, own_folder, times, titles};
use super::state::SidecarFacts;
use crate::json::Json;
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;

/// The folder that it keeps sessions in.
const OWN: [&str; 2] = [".pebble", "talks"];

/// Ending of the file about a session.
const NOTES: &str = ".notes.json";

/// Pebble's sessions.
#[derive(Debug)]
pub(crate) struct Pebble;

impl Format for Pebble {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let [who, said, at] = fields_of(Some(object), &["who", "said", "at"]);
        let mut reading = Reading::of(RecordKind::Unknown);
        if let (Some(who), Some(_)) = (text(who), said) {
            let role = Role::from_word(&who);
            reading.kind = RecordKind::Message;
            reading.role = Some(role);
            reading.time_us = times::time_us(at);
            reading.facts.title = titles::of_message(role, said, titles::any);
        }
        reading
    }

    fn message(&self, object: Json<'_>) -> Message {
        let [who, said, at] = fields_of(Some(object), &["who", "said", "at"]);
        Message {
            content: blocks::content(said),
            time: times::time(at),
            ..Message::new(Role::from_word(&text(who).unwrap_or_default()))
        }
    }
}

impl Dialect for Pebble {
    fn agent(&self) -> &'static str {
        "pebble"
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        own_folder::has(&OWN, candidate.path)
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        let is_line = |line: &HeadLine<'_>| {
            let [who, said] = line.fields(&["who", "said"]);
            who.is_some() && said.is_some()
        };
        own_folder::recognise(&OWN, candidate, |candidate| candidate.lines().any(is_line))
    }

    fn has_message_ids(&self) -> bool {
        false
    }
}

impl Companions for Pebble {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        let names = names(path);
        let [name] = below(&names, &OWN)? else {
            return None;
        };
        let session = name.strip_suffix(NOTES)?;
        Some(Sidecar::Session(session.to_owned()))
    }

    fn meta_ending(&self) -> &'static str {
        NOTES
    }

    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        let content = String::from_utf8_lossy(bytes);
        let id = paths::name(path).strip_suffix(NOTES).map(str::to_owned);
        let (Some(id), Ok([title])) = (id, fields(lines::body(&content), &["title"])) else {
            return Vec::new();
        };
        vec![SidecarFacts {
            id,
            title: owned(title),
            ..SidecarFacts::default()
        }]
    }
}

impl Agent for Pebble {
    fn aliases(&self) -> &'static [&'static str] {
        &["stone"]
    }

    fn title(&self) -> &'static str {
        "Pebble"
    }

    fn found(&self) -> &'static str {
        "`.pebble/talks`, with notes"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 3] = [
            DefaultHome::in_variable("PEBBLE_HOME", ""),
            DefaultHome::in_home(".pebble"),
            DefaultHome {
                root: Root::AppData,
                below: "pebble",
            },
        ];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["talks"]
    }

    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"who":"user","said":"hi","at":"2026-04-03T09:00:00Z"}"#,
                r#"{"who":"assistant","said":[{"type":"text","text":"hi"}]}"#,
            ],
            paths: &["/h/.pebble/talks/1.jsonl", "/h/.pebble/talks/1.notes.json"],
        }
    }
}

/// All that is done with any agent's sessions, by code that does not know this one.
#[cfg(test)]
mod tests {
    use std::fs;

    use crate::model::message::Message;
    use crate::provider::Places;
    use crate::store::{ListQuery, Mode, Options, RedbStore, Store as _};
    use crate::transfer::{ExportFormat, ImportOptions, export_all, import};

    const LINES: &str = concat!(
        r#"{"who":"user","said":"Where is the boat?","at":"2026-04-03T09:00:00Z"}"#,
        "\n",
        r#"{"who":"assistant","said":"In the shed.","at":"2026-04-03T09:00:05Z"}"#,
        "\n",
    );
    const NOTES: &str = "{ \"title\": \"The boat\" }\n";

    #[test]
    fn a_new_agent_is_found_imported_listed_shown_and_exported() {
        let home = tempfile::tempdir().unwrap();
        let talks = home.path().join(".pebble/talks");
        fs::create_dir_all(&talks).unwrap();
        fs::write(talks.join("boat.jsonl"), LINES).unwrap();
        fs::write(talks.join("boat.notes.json"), NOTES).unwrap();

        let places = Places::under(home.path());
        assert_eq!(places.sessions(), [("pebble", talks.clone())]);
        let elsewhere = Places::in_environment(Some(home.path().into()), &|name| {
            (name == "PEBBLE_HOME").then(|| "/p".into())
        });
        assert_eq!(elsewhere.home("stone"), Some("/p".as_ref()));

        let options = Options::default().with_mode(Mode::Exclusive);
        let store = RedbStore::open(home.path().join("store.redb"), options).unwrap();
        let paths: Vec<_> = places
            .sessions()
            .into_iter()
            .map(|(_, path)| path)
            .collect();
        let report = import(
            &store,
            &paths,
            &ImportOptions::default(),
            &mut crate::store::unwatched,
        )
        .unwrap();
        assert_eq!((report.sessions, report.messages), (1, 2), "{report:?}");
        assert_eq!((report.attachments, report.problems.len()), (1, 0));

        let listed = store.list(&ListQuery::default()).unwrap().sessions;
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].key.to_string(), "pebble:boat");
        assert_eq!(listed[0].title, "The boat");

        let session = store.load(&listed[0].key).unwrap();
        let said: Vec<_> = session.messages.iter().map(Message::plain_text).collect();
        assert_eq!(said, ["Where is the boat?", "In the shed."]);

        let to = home.path().join("out");
        let report = export_all(
            &store,
            None,
            ExportFormat::Jsonl,
            &to,
            &mut crate::store::unwatched,
        )
        .unwrap();
        assert!(report.problems.is_empty(), "{report:?}");
        let out = to.join("pebble");
        assert_eq!(fs::read_to_string(out.join("boat.jsonl")).unwrap(), LINES);
        let notes = fs::read_to_string(out.join("boat.notes.json")).unwrap();
        assert_eq!(notes, NOTES);

        // By its other name too, and wherever the file lies.
        let stray = home.path().join("stray.jsonl");
        fs::write(&stray, "{\"who\":\"user\",\"said\":\"hm\"}\n").unwrap();
        let options = ImportOptions {
            agent: Some("stone".to_owned()),
            ..ImportOptions::default()
        };
        import(&store, &[stray], &options, &mut crate::store::unwatched).unwrap();
        let found = store.find("pebble:stray", 2).unwrap();
        assert_eq!(found.len(), 1);
    }
}
