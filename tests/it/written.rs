//! What agents' own programs wrote (`tests/make`), put where they keep it: nothing of it is unknown, what is shown
//! is what was said, and it comes out byte for byte.

use std::fs;
use std::path::Path;

use scrollback::{
    ImportOptions, RecordKind, RedbStore, ScanQuery, SessionKey, Store as _, StoreExt as _, import,
    unwatched,
};

use crate::harness::{Home, export_as_lines, files_below};
use crate::homes::MADE;
use crate::view::{imported, known, open, told};

/// A session that a program wrote, and what there is to say of it.
#[derive(Clone, Copy)]
pub(crate) struct Written {
    /// The fixture's folder, and the place below the home that it is a copy of.
    pub(crate) fixture: &'static str,
    pub(crate) place: &'static str,
    pub(crate) key: (&'static str, &'static str),
    pub(crate) title: &'static str,
    pub(crate) project: Option<&'static str>,
    pub(crate) model: Option<&'static str>,
    pub(crate) parent: Option<&'static str>,
    /// What is shown, as [`told`] says it, in the order of the talk.
    pub(crate) said: &'static [&'static str],
    pub(crate) input_tokens: u64,
}

/// What is the same of most: the scripts work in one folder, with one model, for one title.
pub(crate) const BY_HAND: Written = Written {
    fixture: "",
    place: "",
    key: ("", ""),
    title: "Hues by hand",
    project: Some("/w/shop"),
    model: Some("model-x"),
    parent: None,
    said: &[],
    input_tokens: 0,
};

/// Puts the files of a fixture where its program keeps them.
pub(crate) fn put(home: &Home, fixture: &str, place: &str) {
    let from = Path::new(MADE).join(fixture);
    for file in files_below(&from) {
        let name = file.strip_prefix(&from).unwrap().to_str().unwrap();
        home.write(&format!("home/{place}/{name}"), fs::read(&file).unwrap());
    }
}

pub(crate) fn key(of: (&str, &str)) -> SessionKey {
    SessionKey::new(of.0, of.1).unwrap()
}

/// Every file of sessions and every one that is kept beside them comes out as it came in.
fn assert_it_comes_back(home: &Home, store: &RedbStore, lines: &str) {
    let out = home.path().join("out");
    export_as_lines(store, &out);
    let exported: Vec<Vec<u8>> = files_below(&out)
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    let all = files_below(&home.path().join("home"));
    let sessions = all
        .iter()
        .filter(|path| path.to_str().unwrap().ends_with(lines));
    let mut count = 0;
    for path in sessions {
        let content = fs::read(path).unwrap();
        assert!(exported.contains(&content), "{}", path.display());
        count += 1;
    }
    assert!(count > 0, "no {lines}");
}

/// What is shown, with a word for what the scripts left out of the files.
pub(crate) fn said(store: &RedbStore, session: &SessionKey) -> Vec<String> {
    let all = told(&known(store, session));
    let short = |text: &String| {
        let parts = text.split(" characters are left out)");
        let cut = parts.map(|part| part.trim_end_matches(|sign: char| sign.is_ascii_digit()));
        cut.collect::<Vec<_>>().join("..)")
    };
    all.iter().map(short).collect()
}

/// Imports a home in which a session's file was written anew.
fn import_anew(home: &Home, store: &RedbStore) {
    let folder = [home.path().join("home")];
    let report = import(store, &folder, &ImportOptions::default(), &mut unwatched).unwrap();
    assert_eq!((report.sessions, report.generations), (0, 1), "{report:?}");
}

/// Imports a fixture twice, and looks at one session of it.
pub(crate) fn look(written: &Written) -> (Home, RedbStore) {
    let home = Home::new();
    put(&home, written.fixture, written.place);
    let store = open(&home);
    imported(&store, &home);
    imported(&store, &home);
    let session = key(written.key);
    let row = store.summary(&session).unwrap();
    let facts = (
        row.title.as_str(),
        row.project.as_deref(),
        row.model.as_deref(),
        row.parent.as_deref(),
        row.contents,
    );
    assert_eq!(
        facts,
        (
            written.title,
            written.project,
            written.model,
            written.parent,
            1
        )
    );
    let records = store.records(&session, ScanQuery::default());
    let unknown = records
        .map(Result::unwrap)
        .filter(|record| record.header.kind == RecordKind::Unknown);
    let unknown: Vec<_> = unknown.map(|record| record.header).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let known = known(&store, &session);
    assert_eq!(said(&store, &session), written.said);
    assert_eq!(known.input_tokens, written.input_tokens);
    assert!(store.verify(&mut unwatched).unwrap().is_clean());
    (home, store)
}

#[test]
fn what_copilot_wrote_counts_each_call_and_is_one_session_after_a_rewind() {
    const ID: &str = "57441965-d9fa-48b7-861c-71d0d91feacc";
    let before = Written {
        fixture: "copilot/before",
        place: ".copilot",
        key: ("copilot", ID),
        said: &[
            "name the hues",
            "*(..)",
            "I read it.",
            "red green\n",
            "red, green",
            "*28b51728-0078-48c2-967d-3df14a58869cfind a third one",
            "*28b51728-0078-48c2-967d-3df14a58869c(..)",
            "28b51728-0078-48c2-967d-3df14a58869cblue is one",
            "blue is one",
            "And blue.",
            "thank you",
            "You are welcome.",
            "and wrong",
            "*(..)",
            "no",
        ],
        // The sum of five calls, and one since.
        input_tokens: 60,
        ..BY_HAND
    };
    let (home, store) = look(&before);
    assert_it_comes_back(&home, &store, "/events.jsonl");
    let after = Written {
        fixture: "copilot/after",
        said: &[
            "name the hues",
            "*(..)",
            "I read it.",
            "red green\n",
            "red, green",
            "*28b51728-0078-48c2-967d-3df14a58869cfind a third one",
            "*28b51728-0078-48c2-967d-3df14a58869c(..)",
            "28b51728-0078-48c2-967d-3df14a58869cblue is one",
            "blue is one",
            "And blue.",
            "thank you",
            "You are welcome.",
            "*The user asked for hues.",
            "and now?",
            "*(..)",
            "Now, blue.",
        ],
        // Without what was taken back, and without what the compaction took.
        input_tokens: 60,
        ..before
    };
    look(&after);
    // Imported on both sides of the rewind, it is one session: what was taken back is kept with it.
    put(&home, after.fixture, after.place);
    import_anew(&home, &store);
    let row = store.summary(&key(after.key)).unwrap();
    assert_eq!(row.contents, 2);
    assert_eq!(said(&store, &key(after.key)), after.said);
}

#[test]
fn what_droid_wrote_has_its_sub_agent_and_the_session_that_it_was_summed_up_in() {
    const ID: &str = "ab8360a1-8e84-4322-9242-014795e5e547";
    let session = Written {
        fixture: "droid",
        place: ".factory",
        key: ("droid", ID),
        model: Some("custom:own-0"),
        said: &[
            "*<system-reminder>(..)</system-reminder>\n<system-reminder>(..)</system-reminder>\n<system-reminder>(..)</system-reminder>\n<system-reminder>(..)</system-reminder>\n<system-reminder>(..)</system-reminder>\n<system-reminder>(..)</system-reminder>",
            "name the hues",
            "I read it.",
            "red green\n",
            "red, green",
            "(..)",
            "You are welcome.",
            "*(..)",
            "You are welcome.",
            "*<system-reminder>(..)</system-reminder>",
            "thank you",
            "You are welcome.",
        ],
        ..BY_HAND
    };
    let (home, store) = look(&session);
    assert_it_comes_back(&home, &store, ".jsonl");
    let usage = store.usage_beside(&key(session.key)).unwrap().unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (60, 30));
    look(&Written {
        key: ("droid", "80dbfb06-6325-43b7-ae83-70ffde55a1cf"),
        title: "Now, blue",
        parent: Some(ID),
        said: &[
            "*The user asked for hues.",
            "*<system-reminder>(..)</system-reminder>\n<system-reminder>(..)</system-reminder>\n<system-reminder>(..)</system-reminder>\n<system-reminder>(..)</system-reminder>",
            "and now?",
            "Now, blue.",
        ],
        ..session
    });
    let agent = key(("droid", "bbe87f3d-7460-4c39-81e0-9f64f61f0375"));
    let agent = store.summary(&agent).unwrap();
    assert_eq!((agent.parent.as_deref(), agent.subagent), (Some(ID), true));
}

#[test]
fn what_kimi_code_wrote_has_its_sub_agent_its_undo_and_a_fork_that_counts_what_is_its_own() {
    const ID: &str = "session_40b7e504-41cc-4b0a-be3c-5be93ae26c4b";
    const FORK: &str = "session_09fac0fa-2843-4cb0-ba0c-3a48941f2154";
    let session = Written {
        fixture: "kimi-code",
        place: ".kimi-code",
        key: ("kimi", ID),
        model: Some("own"),
        said: &[
            "name the hues",
            "*<system-reminder>(..)</system-reminder>",
            "*<system-reminder>(..)</system-reminder>",
            "I read it.",
            "1\tred green",
            "red, green",
            "(..)",
            "And blue.",
            "thank you",
            "*<system-reminder>(..)</system-reminder>",
            "You are welcome.",
            "-and wrong",
            "-*<system-reminder>(..)</system-reminder>",
            "-no",
            "thanks again",
            "You are welcome.",
            "*The user asked for hues.",
            "and now?",
            "*<system-reminder>(..)</system-reminder>",
            "*<system-reminder>(..)</system-reminder>",
            "Now, blue.",
        ],
        input_tokens: 80,
        ..BY_HAND
    };
    let (home, store) = look(&session);
    assert_it_comes_back(&home, &store, "/wire.jsonl");
    let agent = format!("{ID}/agent-0");
    let agent = store.summary(&key(("kimi", &agent))).unwrap();
    let facts = (
        agent.title.as_str(),
        agent.project.as_deref(),
        agent.parent.as_deref(),
        agent.subagent,
    );
    let expected = ("find a third one", Some("/w/shop"), Some(ID), true);
    assert_eq!(facts, expected);
    let fork = store.summary(&key(("kimi", FORK))).unwrap();
    assert_eq!(fork.title, "Fork: Hues by hand");
    assert_eq!((fork.parent.as_deref(), fork.subagent), (Some(ID), false));
    // What a fork repeats counts once, and what its sub-agent took in that one.
    let sums = store.usage().unwrap();
    let sum: u64 = sums.iter().map(|sum| sum.usage.input_tokens).sum();
    assert_eq!(sum, 80 + 10);
}

#[test]
fn what_kimi_cli_wrote_has_its_folder_by_a_hash_and_its_summary_put_in() {
    const ID: &str = "6b877211-6c07-4e56-a3ab-581583bdbbe7";
    let session = Written {
        fixture: "kimi-cli",
        place: ".kimi",
        key: ("kimi", ID),
        model: None,
        said: &[
            "*<system>(..)</system>\nThe user asked for hues.",
            "thank you",
            "You are welcome.",
            "and now?",
            "Now, blue.",
        ],
        ..BY_HAND
    };
    let (home, store) = look(&session);
    assert_it_comes_back(&home, &store, "/context.jsonl");
    // The log beside has what the messages have not.
    let took = |id: &str| {
        let usage = store.usage_beside(&key(("kimi", id))).unwrap().unwrap();
        (usage.input_tokens, usage.output_tokens)
    };
    assert_eq!(took(ID), (50, 25));
    assert_eq!(took(&format!("{ID}/a8a200b97")), (20, 10));
    let row = store.summary(&key(("kimi", ID))).unwrap();
    let times = [row.created_at, row.updated_at].map(|time| time.timestamp());
    assert_eq!(times, [1_796_051_875, 1_796_051_892]);
    let agent = format!("{ID}/a8a200b97");
    let agent = store.summary(&key(("kimi", &agent))).unwrap();
    assert_eq!(agent.title, "find a third one");
    assert_eq!(agent.project.as_deref(), Some("/w/shop"));
}

#[test]
fn what_kimi_cli_made_shorter_is_another_content_of_the_session_that_it_was() {
    const PLACE: &str =
        "home/.kimi/sessions/463b9ceeec4169ed9ecf158956389b4b/6b877211-6c07-4e56-a3ab-581583bdbbe7";
    let home = Home::new();
    put(&home, "kimi-cli", ".kimi");
    let folder = home.path().join(PLACE);
    let after = fs::read(folder.join("context.jsonl")).unwrap();
    fs::rename(folder.join("context_1.jsonl"), folder.join("context.jsonl")).unwrap();
    let store = open(&home);
    imported(&store, &home);
    let session = key(("kimi", "6b877211-6c07-4e56-a3ab-581583bdbbe7"));
    assert_eq!(store.summary(&session).unwrap().message_count, 8);
    home.write(&format!("{PLACE}/context.jsonl"), after);
    import_anew(&home, &store);
    let row = store.summary(&session).unwrap();
    assert_eq!((row.contents, row.message_count), (2, 5));
}

#[test]
fn what_vibe_wrote_has_its_sub_agent_and_titles_that_somebody_gave() {
    const ID: &str = "e8b2317d-144f-f39d-0b60-dd8943ac3595";
    let session = Written {
        fixture: "vibe",
        place: ".vibe",
        key: ("vibe", ID),
        model: Some("own"),
        said: &[
            "name the hues",
            "I read it.",
            "(..)",
            "red, green",
            "(..)",
            "And blue.",
            "thank you",
            "You are welcome.",
        ],
        ..BY_HAND
    };
    let (home, store) = look(&session);
    assert_it_comes_back(&home, &store, "/messages.jsonl");
    let usage = store.usage_beside(&key(session.key)).unwrap().unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (10, 5));
    // What it was summed up in begins with that, and is not called so.
    look(&Written {
        key: ("vibe", "b771d364-30fa-11a2-a49b-dd8943ac3595"),
        title: "and now?",
        parent: Some(ID),
        said: &["*(..)", "and now?", "Now, blue."],
        ..session
    });
    look(&Written {
        key: ("vibe", "9e5b7a9b-bb05-7aea-8dbf-5036499ead87"),
        title: "(145 characters are left out)",
        parent: Some(ID),
        said: &["(..)", "blue is one"],
        ..session
    });
}

#[test]
fn what_qoders_writer_wrote_has_its_rewind_and_the_tokens_of_an_answer_once() {
    const ID: &str = "aa000000-0000-4000-8000-000000000003";
    let session = Written {
        fixture: "qoder",
        place: ".qoder",
        key: ("qoder", ID),
        said: &[
            "name the hues",
            "",
            "I read it.",
            "Read\n{\"file_path\":\"/w/shop/hues.txt\"}",
            "red green",
            "red, green",
            "-and wrong",
            "-no",
            "thank you",
            "You are welcome.",
        ],
        input_tokens: 10 + 20 + 7 + 5,
        ..BY_HAND
    };
    let (home, store) = look(&session);
    assert_it_comes_back(&home, &store, ".jsonl");
    let row = store.summary(&key(session.key)).unwrap();
    assert_eq!(row.branch.as_deref(), Some("main"));
    let agent = store.summary(&key(("qoder", "a1"))).unwrap();
    let facts = (
        agent.title.as_str(),
        agent.parent.as_deref(),
        agent.subagent,
    );
    assert_eq!(facts, ("find a third one", Some(ID), true));
}

#[test]
fn what_codebuddy_wrote_has_calls_and_answers_and_a_fork_counts_what_is_its_own() {
    const ID: &str = "733eefc8-4581-45d5-bead-99ff61077b9f";
    let session = Written {
        fixture: "codebuddy",
        place: ".codebuddy",
        key: ("codebuddy", ID),
        title: "name the hues",
        said: &[
            "name the hues",
            "",
            "I read it.",
            "Read\n{\"file_path\": \"/w/shop/hues.txt\"}",
            "   1→red green\n   2→",
            "red, green",
            "Agent\n{\"subagent_type\": \"Explore\", \"description\": \"find\", \"prompt\": \"find a third one\"}",
            "(..)",
            "And blue.",
            "thank you",
            "You are welcome.",
        ],
        input_tokens: 40,
        ..BY_HAND
    };
    let (home, store) = look(&session);
    assert_it_comes_back(&home, &store, ".jsonl");
    let agent = store.summary(&key(("codebuddy", "c004bf48"))).unwrap();
    let facts = (
        agent.title.as_str(),
        agent.parent.as_deref(),
        agent.subagent,
    );
    assert_eq!(facts, ("find a third one", Some(ID), true));
    let fork = key(("codebuddy", "dfedf22f-855c-496a-a3de-4dfac47fbda9"));
    let fork = store.summary(&fork).unwrap();
    assert_eq!(fork.title, "name the hues");
    assert_eq!((fork.parent.as_deref(), fork.subagent), (Some(ID), false));
    let sums = store.usage().unwrap();
    let sum: u64 = sums.iter().map(|sum| sum.usage.input_tokens).sum();
    assert_eq!(sum, 40 + 10 + 10);
}
