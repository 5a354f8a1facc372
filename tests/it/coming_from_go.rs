//! docs/coming-from-go.md: every feature and every hazard of the five Go packages has a row there,
//! and every test that is named there is in the tree.

use std::collections::BTreeSet;

use crate::page::{Tests, marked, rows, tests};
use crate::source::{File, identifiers, read, rust_files};

const PAGE: &str = "docs/coming-from-go.md";

/// The lists of hazards, and how many each of them has.
const HAZARDS: [(&str, u32); 5] = [
    ("2.5", 10),
    ("3.5", 11),
    ("4.5", 13),
    ("5.6", 12),
    ("6.8", 10),
];

/// What at least one of the packages can do, or a newer version of it.
const FEATURES: [&str; 96] = [
    "JSONL, one record per line",
    "append-only main file",
    "default home folder",
    "caller-chosen folder",
    "generated id: time-based",
    "generated id: uuid v4",
    "caller-chosen id / key",
    "id validation",
    "key sanitising for files",
    "project scope by hash of git root",
    "project scope by path",
    "scope metadata (agent, channel, dimensions)",
    "aliases → canonical key, promotion",
    "index file",
    "index repair / rebuild",
    "per-session meta file",
    "meta record in the log",
    "append one message",
    "append batch",
    "full message with tool calls",
    "lazy creation on first record",
    "EnsureMeta (write header once)",
    "save whole session (atomic)",
    "replace history (SetHistory)",
    "truncate to last N",
    "truncate at a user message",
    "logical skip + compaction on Save",
    "conversation summary get/set",
    "compaction event in the log",
    "resume and append",
    "ephemeral types dropped",
    "fire-and-forget writes",
    "errors returned from writes",
    "fsync per append",
    "atomic temp+rename",
    "in-process locking",
    "cross-process locking",
    "delete session",
    "cleanup older than",
    "drop empty sessions",
    "cost as opaque JSON",
    "usage per call / metrics records",
    "teammate / subagent transcripts",
    "large tool output overflow files",
    "branch / fork",
    "rename, pin, archive, status",
    "plain text content",
    "content blocks",
    "images",
    "tool call + result linked by id",
    "tool error flag / text",
    "reasoning / thinking",
    "system parts with cache hints",
    "message id / parent id",
    "message timestamp",
    "model per message",
    "token usage per message",
    "vendor/endpoint/model per session",
    "git branch, first prompt",
    "raw original record kept",
    "plan / todo / mode / env events",
    "subagent start/result/async events",
    "budget warning type",
    "progress / snapshot types",
    "load all records",
    "streaming scan with callback",
    "malformed lines skipped",
    "torn last line tolerated on read",
    "torn tail repaired before append",
    "lines of any length",
    "list sessions",
    "list across projects / agents",
    "list projects",
    "newest first",
    "most recent younger than maxAge",
    "title from first user message",
    "entry / message count",
    "created / updated times",
    "history excluding truncated part",
    "full history despite truncation",
    "rebuild LLM history from events",
    "rebuild full state (plan, todos, mode, env)",
    "last environment",
    "text search",
    "Markdown export",
    "import of own legacy JSON",
    "provider interface + registry",
    "typed errors (not found …)",
    "in-memory get-or-create",
    "\"has anything been recorded?\"",
    "stale index rows dropped on list",
    "accessors for folder, project id, session id, path",
    "reader of the format version",
    "read Claude Code",
    "read Gemini CLI",
    "OpenCode database",
];

/// What is wrong with the page.
fn complaints(page: &str, files: &[File]) -> Vec<String> {
    let known = Tests::of(files);
    let rows = rows(page);
    let mut complaints = Vec::new();
    let mut row_of = |first: &str| {
        let mut found = rows.iter().filter(|row| row.first() == Some(&first));
        let row = found.next();
        if row.is_none() {
            complaints.push(format!("`{first}` has no row"));
        } else if found.next().is_some() {
            complaints.push(format!("`{first}` has two rows"));
        }
        row.and_then(|row| row.last()).copied()
    };
    let mut shown = Vec::new();
    for feature in FEATURES {
        shown.extend(row_of(feature).map(|cell| (feature.to_owned(), String::new(), cell)));
    }
    for (list, count) in HAZARDS {
        for number in 1..=count {
            let hazard = format!("{list}-{number}");
            let start = format!("hazard_{}_", hazard.replace(['.', '-'], "_"));
            shown.extend(row_of(&hazard).map(|cell| (hazard.clone(), start, cell)));
        }
    }
    for (row, start, cell) in shown {
        let named = tests(cell);
        let is_left = start.is_empty() && cell.starts_with("left: ");
        if !is_left && !named.iter().any(|(_, test)| test.starts_with(&start)) {
            complaints.push(format!("`{row}` names no test `{start}...`"));
        }
        for (file, test) in named {
            if !known.has(&file, test) {
                complaints.push(format!("`{row}` names {test}, which is not in {file}"));
            }
        }
    }
    complaints
}

/// Words in code marks, of what is to be written here instead of Go, that are nowhere in the crate.
fn strange_words(page: &str, files: &[File]) -> Vec<String> {
    let sources = files.iter().filter(|file| file.is_crate());
    let known: BTreeSet<&str> = sources
        .flat_map(|file| identifiers(&file.text))
        .map(|(_, word)| word)
        .collect();
    // It is the second of three cells, and the third of four.
    let rows = rows(page).into_iter().filter(|row| row.len() >= 3);
    let here = rows.filter_map(|row| row.get(row.len() - 2).copied());
    here.flat_map(marked)
        .filter(|code| !code.contains('/'))
        .flat_map(identifiers)
        .filter(|(_, word)| !known.contains(word))
        .map(|(_, word)| word.to_owned())
        .collect()
}

#[test]
fn every_name_that_stands_for_one_of_go_is_in_the_crate() {
    let (page, files) = (read(PAGE), rust_files());
    assert_eq!(strange_words(&page, &files), Vec::<String>::new());
    let other = page.replace(
        "`project.log_turn(role, content)?`",
        "`project.log_a_turn(x)?`",
    );
    assert_eq!(strange_words(&other, &files), ["log_a_turn"]);
}

#[test]
fn every_feature_and_hazard_is_shown_by_a_test_that_is_there() {
    let found = complaints(&read(PAGE), &rust_files());
    assert!(found.is_empty(), "{PAGE}:\n{}", found.join("\n"));
}

#[test]
fn a_page_that_lacks_something_is_found() {
    let page = read(PAGE);
    let files = rust_files();
    let found = |page: &str| complaints(page, &files).join("\n");
    let without = |start: &str| -> String {
        let lines = page.lines().filter(|line| !line.starts_with(start));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(found(&without("| 4.5-9 |")), "`4.5-9` has no row");
    let row = "| lines of any length |";
    assert_eq!(found(&without(row)), "`lines of any length` has no row");
    let other = page.replace("hazard_2_5_7_starting", "hazard_2_5_8_starting");
    assert!(found(&other).contains("`2.5-7` names no test `hazard_2_5_7_...`"));
    assert!(found(&other).contains("which is not in tests/it/celeste_hazards.rs"));
    let empty = without(row) + "\n| lines of any length | 003 | all | soon |\n";
    assert_eq!(found(&empty), "`lines of any length` names no test `...`");
    let twice = format!(
        "{}\n| 2.5-1 | a | b | `x::hazard_2_5_1_y` |\n",
        page.trim_end()
    );
    assert_eq!(found(&twice), "`2.5-1` has two rows");
}
