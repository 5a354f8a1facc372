//! `docs/cli.md` against what `--json` prints: every field, both ways, and its type.

use std::collections::BTreeMap;

use scrollback::{Options, RedbStore, SessionKey, Store as _};
use serde_json::Value;

use crate::cli::{GGCODE, import_samples};
use crate::harness::Home;

/// The table of fields below each heading `#### JSON: ...`: field to type.
type Tables = BTreeMap<String, BTreeMap<String, String>>;

fn tables(document: &str) -> Tables {
    let mut tables = Tables::new();
    let mut heading = None;
    for line in document.lines() {
        if line.starts_with('#') {
            heading = line.strip_prefix("#### JSON: ").map(str::to_owned);
            continue;
        }
        let (Some(heading), Some(row)) = (&heading, line.strip_prefix("| `")) else {
            continue;
        };
        let mut cells = row.split(" | ");
        let field = cells.next().unwrap().trim_end_matches('`').to_owned();
        let kind = cells.next().unwrap().to_owned();
        let table = tables.entry(heading.clone()).or_default();
        assert!(
            table.insert(field, kind).is_none(),
            "{heading} has a field twice"
        );
    }
    tables
}

/// Complaints about objects that should have the fields of a table. A field may be left out of one
/// object if `all_in_each` is not set, but not of all.
fn differences(
    table: &BTreeMap<String, String>,
    objects: &[Value],
    all_in_each: bool,
) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for object in objects {
        let fields = object.as_object().unwrap();
        for (field, value) in fields {
            seen.push(field);
            match table.get(field) {
                None => complaints.push(format!("`{field}` is not documented")),
                Some(kind) if !is_of(kind, value) => {
                    complaints.push(format!("`{field}` is {value}, documented as {kind}"));
                }
                Some(_) => {}
            }
        }
        if all_in_each {
            let missing = table
                .keys()
                .filter(|field| !fields.contains_key(field.as_str()));
            complaints.extend(missing.map(|field| format!("`{field}` is not printed")));
        }
    }
    let never = table.keys().filter(|field| !seen.contains(&field.as_str()));
    complaints.extend(never.map(|field| format!("`{field}` is never printed")));
    complaints
}

fn is_of(kind: &str, value: &Value) -> bool {
    kind.split(" or ").any(|kind| match kind {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        "any" => true,
        other => panic!("unknown type `{other}` in docs/cli.md"),
    })
}

#[test]
fn a_difference_is_found() {
    let table =
        tables("#### JSON: x\n| `a` | number | A |\n| `b` | string or null | B |\n").remove("x");
    let table = table.unwrap();
    let found =
        |json: &str| differences(&table, &[serde_json::from_str(json).unwrap()], true).len();
    assert_eq!(found("{\"a\":1,\"b\":null}"), 0);
    assert_eq!(found("{\"a\":\"1\",\"b\":\"x\"}"), 1);
    assert_eq!(found("{\"a\":1,\"b\":null,\"c\":1}"), 1);
    assert_eq!(found("{\"a\":1}"), 2);
}

fn values(lines: &str) -> Vec<Value> {
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The objects in an array field of some objects.
fn within(objects: &[Value], field: &str) -> Vec<Value> {
    let arrays = objects
        .iter()
        .map(|object| object[field].as_array().unwrap());
    arrays.flatten().cloned().collect()
}

/// What is run, one after the other: the heading of its table in docs/cli.md, a part that has a table of
/// its own, and the command. `GGCODE` stands for that session. What has no heading is run for the next ones.
const RUN: [(&str, &str, &str); 33] = [
    ("`import`", "not_read", "import more --dry-run"),
    ("`import`", "problems", "import more"),
    ("`list`", "", "list"),
    ("`show`", "blocks", "show aaaa1111 --raw"),
    ("`usage`", "", "usage --by session"),
    ("`resume`", "", "resume aaaa1111"),
    ("`put-back`", "files", "put-back aaaa1111 --to elsewhere"),
    ("`search`", "", "search NOT zzz -C 1"),
    ("`index`", "", "index"),
    ("`search --count`", "", "search NOT zzz --count"),
    ("`show --save`", "", "show aaaa1111 --save saved"),
    ("`export`", "", "export --all --to out"),
    ("`stats`", "agents", "stats"),
    ("`stats --files`", "", "stats --files"),
    ("`rename`", "", "rename GGCODE Loop"),
    ("`alias`", "", "alias GGCODE loop"),
    ("`pin`", "", "pin GGCODE"),
    ("", "", "unpin GGCODE"),
    ("`fork`", "", "fork aaaa1111"),
    ("`truncate`", "", "truncate GGCODE --keep 1"),
    ("`reread`", "", "reread --all"),
    ("`compact`", "", "compact --all"),
    ("`compact --jsonl`", "", "compact --jsonl histories"),
    ("`status`", "", "status"),
    ("`cleanup`", "listed", "cleanup --older-than 1d --dry-run"),
    ("`delete`", "", "delete GGCODE"),
    ("`deleted`", "", "deleted"),
    ("`deleted --forget`", "", "deleted --forget GGCODE"),
    ("`verify`", "digests", "verify --deep"),
    ("`scrub`", "", "scrub"),
    ("`backup`", "", "backup b.redb"),
    ("`copy`", "", "copy store/scrollback.redb c.redb"),
    ("`restore`", "", "restore --replace b.redb"),
];

/// What each command prints, by the heading of its table.
fn printed(home: &Home) -> BTreeMap<String, Vec<Value>> {
    home.write("more/broken.jsonl", "{\"type\":\"user\"}\n{\"cut");
    home.write("more/.codex/history.jsonl", "{}\n");
    home.write("more/.local/share/zed/threads/threads.db", "");
    std::fs::create_dir(home.path().join("histories")).unwrap();
    let mut printed = BTreeMap::new();
    for (heading, part, command) in RUN {
        let words = command.split(' ');
        let words = words.map(|word| if word == "GGCODE" { GGCODE } else { word });
        let objects = values(&home.ok(&words.chain(["--json"]).collect::<Vec<_>>()));
        if !part.is_empty() {
            let heading = format!("{heading}, each of `{part}`");
            printed.insert(heading, within(&objects, part));
        }
        if !heading.is_empty() {
            printed.insert(heading.to_owned(), objects);
        }
    }
    printed.insert(
        "`verify`, each of `problems`".to_owned(),
        store_problems(home),
    );
    printed.insert("errors".to_owned(), errors(home));
    let (report, losses) = losses(home);
    printed.insert("`repair`".to_owned(), report);
    printed.insert("`repair`, each of `losses`".to_owned(), losses);
    printed
}

/// What a command that fails prints on standard error.
fn errors(home: &Home) -> Vec<Value> {
    let failed = home.run(&["show", "none", "--json"]).stderr;
    values(&String::from_utf8(failed).unwrap())
}

/// Takes a page at a time from copies of the store, until a repair has something to list.
fn losses(home: &Home) -> (Vec<Value>, Vec<Value>) {
    let store = std::fs::read(home.store_path()).unwrap();
    let damaged = home.path().join("damaged.redb");
    for page in (4096..store.len()).step_by(4096) {
        let mut bytes = store.clone();
        bytes[page..page + 4096].fill(0);
        std::fs::write(&damaged, &bytes).unwrap();
        let target = format!("repaired-{page}.redb");
        let damaged = damaged.to_str().unwrap();
        let output = home.run(&["--store", damaged, "repair", "--to", &target, "--json"]);
        let report = values(&String::from_utf8(output.stdout).unwrap());
        let losses = within(&report, "losses");
        if !losses.is_empty() {
            assert_eq!(output.status.code(), Some(3));
            return (report, losses);
        }
    }
    panic!("nothing was lost");
}

/// Damages copies of the store, one byte each, until verification finds something to list.
fn store_problems(home: &Home) -> Vec<Value> {
    let store = std::fs::read(home.store_path()).unwrap();
    let used = (4096..store.len()).filter(|place| store[*place] != 0);
    let places: Vec<usize> = used.collect();
    let damaged = home.path().join("damaged.redb");
    for place in places.iter().rev().step_by(places.len() / 200 + 1) {
        let mut bytes = store.clone();
        bytes[*place] ^= 0x55;
        std::fs::write(&damaged, &bytes).unwrap();
        let output = home.run(&["--store", damaged.to_str().unwrap(), "verify", "--json"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let problems = text
            .lines()
            .next()
            .map(|_| within(&values(&text), "problems"));
        if let Some(problems) = problems.filter(|problems| !problems.is_empty()) {
            assert_eq!(output.status.code(), Some(3));
            return problems;
        }
    }
    panic!("no damage was found");
}

#[test]
fn every_field_is_documented_and_every_documented_field_is_printed() {
    let home = Home::new();
    import_samples(&home);
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");
    let tables = tables(&std::fs::read_to_string(document).unwrap());
    let printed = printed(&home);
    let headings: Vec<_> = tables.keys().collect();
    assert_eq!(headings, printed.keys().collect::<Vec<_>>());
    for (heading, objects) in &printed {
        assert!(!objects.is_empty(), "{heading}: nothing was printed");
        let all_in_each = heading != "`show`, each of `blocks`";
        let found = differences(&tables[heading], objects, all_in_each);
        assert!(found.is_empty(), "{heading}: {found:#?}");
    }
    let usage = printed["`show`"]
        .iter()
        .find(|object| object["usage"].is_object());
    let usage = usage.expect("a message with usage")["usage"]
        .as_object()
        .unwrap();
    let document = &tables["`show`"];
    assert!(
        document.contains_key("usage") && usage.len() == 4,
        "{usage:?}"
    );
}

/// What the document says is what the tool has: commands, options, exit codes.
#[test]
fn every_command_option_and_exit_code_is_documented() {
    let home = Home::new();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");
    let document = std::fs::read_to_string(path).unwrap();
    let heads: Vec<&str> = document
        .lines()
        .filter_map(|line| line.strip_prefix("### `"))
        .collect();
    let help = home.ok(&["--help"]);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let commands = commands.filter_map(|line| line.split_whitespace().next());
    for command in commands.filter(|name| *name != "help") {
        let is_it = |head: &&str| head.split([' ', '`', ',']).next() == Some(command);
        let by_word = document.contains(&format!("`{command}"));
        assert!(
            heads.iter().any(is_it) || by_word,
            "{command} is not in docs/cli.md"
        );
        for line in home.ok(&[command, "--help"]).lines() {
            let option = line.split_whitespace().find(|word| word.starts_with("--"));
            let is_option = line.trim_start().starts_with('-') && line.starts_with("  ");
            if let Some(option) = option.filter(|_| is_option) {
                let option = option.trim_end_matches(',');
                let is_known =
                    option == "--help" || option == "--version" || document.contains(option);
                assert!(is_known, "`{option}` of {command} is not in docs/cli.md");
            }
        }
    }
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    for code in codes
        .lines()
        .filter_map(|line| line.split_whitespace().next())
    {
        assert!(
            document.contains(&format!("| {code} | ")),
            "code {code} is not in docs/cli.md"
        );
    }
}

#[test]
fn show_gives_a_message_the_id_that_a_load_gives_it() {
    let home = Home::new();
    home.write("in/a.jsonl", "{\"role\":\"user\",\"content\":\"hi\"}\n{}\n");
    home.ok(&["import", "in"]);
    let rows: Vec<Value> = home
        .ok(&["show", "a", "--json"])
        .lines()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    let store = RedbStore::open_read_only(home.store_path(), Options::default()).unwrap();
    let key = SessionKey::new("jsonl", "a").unwrap();
    let loaded = store.load(&key).unwrap().messages;
    assert_eq!(loaded[0].id.as_deref(), Some("#0"));
    assert_eq!(rows[0]["id"], "#0");
    assert_eq!(rows[1]["id"], Value::Null, "a record without a message");
    assert_eq!((loaded.len(), rows.len()), (1, 2));
}
