//! Any sequence of operations on a store, with searches in between: each finds what a reading of all
//! messages finds.

use proptest::prelude::*;
use scrollback::{
    Block, Expect, ImportOptions, Message, NewRecord, Options, RawJson, RedbStore, Role,
    SessionKey, Store, import, unwatched,
};

use super::oracle::{Asked, Query, assert_exact};
use crate::harness::Home;

/// Words of many kinds; some are parts of others.
const WORDS: [&str; 28] = [
    "the",
    "is",
    "error",
    "QuorumEpoch",
    "quorum",
    "epoch_7",
    "src/main.rs",
    "widget_lattice",
    "lattice",
    "E4477-glorp",
    "3f9a1c",
    "tokio::spawn",
    "été",
    "ПРИВЕТ",
    "привет",
    "錯誤",
    "一个错误处理",
    "エラー",
    "a",
    "ab",
    "x=1",
    "don't",
    "foo(bar)",
    "naïve—case",
    "\u{1f600}",
    "C:\\tmp\\x",
    "/",
    "deploying",
];

/// Lines that are no message, or a strange one.
const HOSTILE: [&str; 9] = [
    "{}",
    "{\"type\":\"user\",\"content\":\"the \\u0065rror \\ud800 lone\",\"id\":\"h1\"}",
    "{\"id\":\"h2\",\"type\":\"user\",\"content\":\"esc\\/aped \\\"quorum\\\" \\u00e9t\\u00e9\"}",
    "{\"id\":\"h3\",\"type\":\"user\",\"content\":\"fused error\"}{\"id\":\"h4\",\"type\":\"user\",\"content\":\"lattice\"}",
    "{\"cut\":\"error",
    "not json quorum",
    "{\"id\":\"h5\",\"type\":\"user\",\"content\":[{\"text\":\"epoch\"},{\"text\":\"_7 tail\"}]}",
    "{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"tool_use\",\"name\":\"Bash\",\"input\":{\"command\":\"grep \\\"error\\\"\"}}]}",
    "\u{feff}{\"role\":\"user\",\"content\":\"bom quorum\"}",
];

/// An operation; numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Say(u8, Vec<Vec<u8>>),
    Call(Vec<u8>),
    /// A message of Gemini's, of an id that may have been there before.
    Again(u8, u8, Vec<u8>),
    Rewind(u8, u8),
    /// A part of a message of Kimi's, which stands on several lines.
    Part(u8, Vec<u8>),
    Hostile(u8, u8),
    Bytes(u8, Vec<u8>),
    /// Many messages, so that segments are sealed.
    Flood(u8, u8, Vec<u8>),
    Truncate(u8, u8),
    Compact(u8),
    Delete(u8),
    Replace(u8, Vec<u8>),
    Reopen,
    Index,
    DropIndex,
    /// A file grows, perhaps by a part of a line, and is imported.
    Grow(Vec<u8>, bool),
    Search(Vec<(u8, u8, Vec<u8>)>),
}

fn words() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..8)
}

fn step() -> impl Strategy<Value = Step> {
    let id = 0_u8..5;
    prop_oneof![
        4 => (id.clone(), prop::collection::vec(words(), 1..4)).prop_map(|(a, b)| Step::Say(a, b)),
        2 => words().prop_map(Step::Call),
        3 => (id.clone(), 0_u8..6, words()).prop_map(|(a, b, c)| Step::Again(a, b, c)),
        1 => (id.clone(), 0_u8..6).prop_map(|(a, b)| Step::Rewind(a, b)),
        3 => (0_u8..3, words()).prop_map(|(a, b)| Step::Part(a, b)),
        2 => (id.clone(), any::<u8>()).prop_map(|(a, b)| Step::Hostile(a, b)),
        1 => (id.clone(), prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(a, b)| Step::Bytes(a, b)),
        2 => (id.clone(), any::<u8>(), words()).prop_map(|(a, b, c)| Step::Flood(a, b, c)),
        1 => (id.clone(), 0_u8..20).prop_map(|(a, b)| Step::Truncate(a, b)),
        1 => id.clone().prop_map(Step::Compact),
        1 => id.clone().prop_map(Step::Delete),
        1 => (id, words()).prop_map(|(a, b)| Step::Replace(a, b)),
        1 => Just(Step::Reopen),
        4 => Just(Step::Index),
        1 => Just(Step::DropIndex),
        3 => (words(), any::<bool>()).prop_map(|(a, b)| Step::Grow(a, b)),
        5 => prop::collection::vec((0_u8..8, 0_u8..4, words()), 1..5).prop_map(Step::Search),
    ]
}

/// The session whose messages stand on several lines.
const PARTS: u8 = 4;

fn text(words: &[u8]) -> String {
    let mut text = String::new();
    for (at, word) in words.iter().enumerate() {
        let between = [" ", "\n", " ", "-", "  \t", "", " "][usize::from(word / 37) % 7];
        if at > 0 {
            text.push_str(between);
        }
        text.push_str(WORDS[usize::from(*word) % WORDS.len()]);
    }
    text
}

fn key(id: u8) -> SessionKey {
    let agent = ["native", "gemini", "gemini", "jsonl", "kimi"][usize::from(id)];
    SessionKey::new(agent, format!("s{id}")).unwrap()
}

fn said(id: u8, words: &[u8]) -> NewRecord {
    let text = text(words);
    match id {
        0 => NewRecord::message(Message::text(Role::User, text)),
        PARTS => of_kimi(&serde_json::json!({"type": "context.append_message", "message":
            {"role": "user", "content": [{"type": "text", "text": text}]}, "time": 1})),
        _ => NewRecord::line(
            serde_json::json!({"id": format!("n{}", words.len()), "type": "user", "role": "user", "content": text})
                .to_string(),
        ),
    }
}

fn of_kimi(line: &serde_json::Value) -> NewRecord {
    NewRecord::line(line.to_string())
}

fn part_of_step(step: u8, words: &[u8]) -> NewRecord {
    of_kimi(
        &serde_json::json!({"type": "context.append_loop_event", "event": {"type": "content.part",
        "stepUuid": format!("step-{step}"), "part": {"type": "text", "text": text(words)}}, "time": 1}),
    )
}

fn call(words: &[u8]) -> NewRecord {
    let mut message = Message::new(Role::Assistant);
    let input = serde_json::json!({"command": text(words), "deep": [1, {"k": "錯誤"}]});
    message.content = vec![
        Block::Thinking {
            text: text(&words[..1]),
            signature: None,
        },
        Block::ToolUse {
            id: Some("t".to_owned()),
            name: "Bash".to_owned(),
            input: RawJson::from_value(&input).ok(),
        },
        Block::ToolResult {
            id: Some("t".to_owned()),
            name: None,
            output: text(words),
            is_error: false,
            images: Vec::new(),
        },
    ];
    NewRecord::message(message)
}

/// A part of a word, cut at characters.
fn part(word: &str, from: usize) -> String {
    let characters: Vec<char> = word.chars().collect();
    let start = from % characters.len();
    characters[start..].iter().take(5).collect()
}

fn query(terms: &[(u8, u8, Vec<u8>)]) -> Query {
    let mut alternatives: Vec<Vec<(bool, Asked)>> = vec![Vec::new()];
    for (kind, how, words) in terms {
        let word = WORDS[usize::from(words[0]) % WORDS.len()];
        let asked = match kind {
            0..=2 => Asked::Word(word.to_owned()),
            3 | 4 => Asked::Word(part(word, words.len())),
            5 => Asked::Phrase(vec![word.to_owned()]),
            _ => {
                let words = words.iter().take(3);
                Asked::Phrase(
                    words
                        .map(|word| WORDS[usize::from(*word) % WORDS.len()].to_owned())
                        .collect(),
                )
            }
        };
        if *how == 3 && !alternatives.last().unwrap().is_empty() {
            alternatives.push(Vec::new());
        }
        alternatives.last_mut().unwrap().push((*how == 0, asked));
    }
    Query(alternatives)
}

/// A file grows by a line, or by one that is not ended and becomes another one later, and is imported.
fn grow(home: &Home, store: &RedbStore, words: &[u8], is_ended: bool) {
    let said = if is_ended {
        text(words)
    } else {
        "quorum the".to_owned()
    };
    let mut line = serde_json::json!({"role": "user", "content": said}).to_string();
    if is_ended {
        line.push('\n');
    }
    let file = home.path().join("in/grows.jsonl");
    let mut content = std::fs::read(&file).unwrap_or_default();
    if content.last().is_some_and(|last| *last != b'\n') {
        let start = content.iter().rposition(|byte| *byte == b'\n');
        content.truncate(start.map_or(0, |at| at + 1));
    }
    content.extend_from_slice(line.as_bytes());
    home.write("in/grows.jsonl", content);
    let folder = home.path().join("in");
    import(store, &[folder], &ImportOptions::default(), &mut unwatched).unwrap();
}

/// Runs steps. Returns how many messages were found in all.
fn run(steps: &[Step]) -> usize {
    let home = Home::new();
    let open = || RedbStore::open(home.store_path(), Options::default()).unwrap();
    let mut store = open();
    let mut found = 0;
    for step in steps {
        let append = |id: u8, records: &[NewRecord]| {
            store.append(&key(id), Expect::Any, None, records).unwrap();
        };
        match step {
            Step::Say(id, texts) => {
                append(
                    *id,
                    &texts
                        .iter()
                        .map(|words| said(*id, words))
                        .collect::<Vec<_>>(),
                );
            }
            Step::Call(words) => append(0, &[call(words)]),
            Step::Again(id, message, words) => {
                let line = serde_json::json!({"id": format!("m{message}"), "type": "gemini", "content": text(words)});
                append(*id, &[NewRecord::line(line.to_string())]);
            }
            Step::Rewind(id, message) => {
                append(
                    *id,
                    &[NewRecord::line(format!("{{\"$rewindTo\":\"m{message}\"}}"))],
                );
            }
            Step::Part(step, words) => append(PARTS, &[part_of_step(*step, words)]),
            Step::Hostile(id, which) => {
                let line = HOSTILE[usize::from(*which) % HOSTILE.len()];
                append(*id, &[NewRecord::line(line)]);
            }
            Step::Bytes(id, bytes) => {
                let line: Vec<u8> = bytes
                    .iter()
                    .copied()
                    .filter(|byte| *byte != b'\n')
                    .collect();
                append(*id, &[NewRecord::line(line)]);
            }
            Step::Flood(id, count, words) => {
                let filler = "filler ".repeat(usize::from(*count) * 4);
                let many = |at: u32| match at % 9 {
                    0 => said(*id, words),
                    _ => NewRecord::line(format!(
                        "{{\"role\":\"user\",\"type\":\"user\",\"content\":\"{filler}{at}\"}}"
                    )),
                };
                append(*id, &(0..70).map(many).collect::<Vec<_>>());
            }
            Step::Truncate(id, keep) => drop(store.truncate(&key(*id), u64::from(*keep))),
            Step::Compact(id) => drop(store.compact(&key(*id), None, None)),
            Step::Delete(id) => drop(store.delete(&key(*id))),
            Step::Replace(id, words) => {
                store
                    .replace_history(&key(*id), &[said(*id, words)])
                    .unwrap();
            }
            Step::Reopen => {
                drop(store);
                store = open();
            }
            Step::Index => {
                store.index(&mut unwatched).unwrap();
            }
            Step::DropIndex => store.drop_index().unwrap(),
            Step::Grow(words, is_ended) => {
                grow(&home, &store, words, *is_ended);
            }
            Step::Search(terms) => found += assert_exact(&store, &query(terms)),
        }
    }
    let report = store.verify_deep(&[], &mut unwatched).unwrap();
    assert!(report.is_clean(), "{:?}", report.problems);
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::cases::cases(32)))]

    #[test]
    fn a_search_finds_what_a_reading_of_all_messages_finds(steps in prop::collection::vec(step(), 1..40)) {
        run(&steps);
    }
}

/// The test above compares something.
#[test]
fn searches_of_random_stores_find_messages() {
    let all: Vec<Vec<u8>> = (0..28).map(|word| vec![word, word + 1]).collect();
    let mut steps = vec![Step::Say(0, all.clone()), Step::Say(1, all), Step::Index];
    steps.extend((0..28).map(|word| Step::Search(vec![(0, 1, vec![word])])));
    steps.extend((0..28).map(|word| Step::Search(vec![(6, 1, vec![word, word + 1])])));
    assert!(run(&steps) > 100);
}

/// What a message says is looked for as a whole, however far apart its lines are and in which documents they lie.
#[test]
fn a_message_is_found_by_words_of_several_of_its_lines() {
    let both = || Step::Search(vec![(0, 1, vec![3]), (0, 1, vec![9])]);
    let mut steps = vec![Step::Part(0, vec![3]), both()];
    for between in [0, 1, 4, 12] {
        steps.extend((0..between).map(|_| Step::Flood(PARTS, 40, vec![5])));
        steps.extend([Step::Part(0, vec![0]), Step::Index]);
        steps.extend((0..between).map(|_| Step::Flood(PARTS, 40, vec![7])));
        steps.extend([Step::Part(0, vec![9]), both(), Step::Index, both()]);
    }
    steps.extend([Step::DropIndex, both(), Step::Index, both()]);
    assert!(run(&steps) >= 9);
}
