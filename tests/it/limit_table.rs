//! All limits of the source, each with the tests that stand at it and one past it. A limit that is
//! new, has moved or has lost its test fails here.

use crate::limits_of_files::{DOCUMENT_BYTES_MAX, FACTS_BYTES_MAX, NESTED_IMAGES_MAX};
use crate::source::{File, code, identifiers, read, rust_files};

/// File, constant, and the tests.
const LIMITS: [(&str, &str, &str); 58] = [
    (
        "src/agents/vibe/unified/files.rs",
        "BYTES_MAX",
        "what_is_larger_than_there_is_room_for_is_left_out_and_told",
    ),
    (
        "postgres/src/reads.rs",
        "KEY_BYTES_MAX",
        "the_longest_key_is_one_that_the_server_indexes",
    ),
    (
        "postgres/src/reads.rs",
        "PATH_BYTES_MAX",
        "a_path_as_long_as_the_store_keeps_is_taken_and_a_longer_one_is_told",
    ),
    (
        "src/store/kit/lately.rs",
        "SESSIONS_MAX",
        "so_many_sessions_are_remembered_and_the_oldest_of_more_is_not",
    ),
    (
        "src/transfer/archive/note.rs",
        "NOTE_BYTES_MAX",
        "a_note_has_at_most_its_bytes_and_what_is_none_is_refused",
    ),
    (
        "src/json/check/mod.rs",
        "NOTES_MAX",
        "depth_is_no_limit_and_notes_are_bounded",
    ),
    (
        "src/model/limits.rs",
        "ID_BYTES_MAX",
        "an_id_has_at_most_its_bytes an_imported_session_of_a_longer_id_is_kept_under_a_cut_one",
    ),
    (
        "src/model/limits.rs",
        "AGENT_BYTES_MAX",
        "an_agent_has_at_most_its_bytes",
    ),
    (
        "src/model/limits.rs",
        "TITLE_BYTES_MAX",
        "a_title_is_kept_whole_up_to_its_limit_and_cut_at_a_character_beyond",
    ),
    (
        "src/model/limits.rs",
        "FACT_BYTES_MAX",
        "a_project_is_kept_whole_up_to_its_limit_and_cut_beyond",
    ),
    (
        "src/model/limits.rs",
        "LINE_BYTES_MAX",
        "the_longest_line_is_one_record_and_a_longer_one_is_kept_in_pieces",
    ),
    (
        "src/model/limits.rs",
        "LINE_MESSAGES_MAX",
        "a_line_with_too_many_messages_is_kept_and_read_up_to_the_limit exactly_as_many_messages_of_a_line_are_read_as_promised",
    ),
    (
        "src/model/limits.rs",
        "ATTACHMENT_BYTES_MAX",
        "the_largest_attachment_is_kept an_attachment_over_its_limit_is_reported_and_left_where_it_is",
    ),
    (
        "src/model/limits.rs",
        "APPEND_RECORDS_MAX",
        "an_append_has_at_most_its_records",
    ),
    (
        "src/model/limits.rs",
        "GIVEN_BYTES_MAX",
        "properties_have_their_limits",
    ),
    (
        "src/model/limits.rs",
        "SUMMARY_BYTES_MAX",
        "properties_have_their_limits",
    ),
    (
        "src/model/limits.rs",
        "ALIASES_MAX",
        "properties_have_their_limits",
    ),
    (
        "src/model/limits.rs",
        "SCOPE_BYTES_MAX",
        "properties_have_their_limits",
    ),
    (
        "src/model/limits.rs",
        "SEGMENT_BYTES",
        "a_segment_ends_at_its_records_and_at_its_bytes",
    ),
    (
        "src/model/limits.rs",
        "SEGMENT_RECORDS",
        "a_segment_ends_at_its_records_and_at_its_bytes",
    ),
    (
        "src/model/limits.rs",
        "TAIL_BYTES",
        "a_tail_is_sealed_at_its_bytes",
    ),
    (
        "src/model/limits.rs",
        "TAIL_RECORDS",
        "a_tail_is_sealed_at_its_number_of_records",
    ),
    (
        "src/model/limits.rs",
        "BATCHES_REMEMBERED",
        "as_many_batches_are_remembered_as_promised",
    ),
    (
        "src/model/limits.rs",
        "BATCH_SECONDS_REMEMBERED",
        "older_batches_are_remembered_for_their_time",
    ),
    ("src/codec/gram_list.rs", "ROW_BYTES_MAX", "lists_come_back"),
    ("src/codec/gram_list.rs", "DOCUMENTS_MAX", "lists_come_back"),
    (
        "src/model/limits.rs",
        "SEARCH_BEST_OF",
        "the_best_are_picked_from_the_newest_hits",
    ),
    (
        "src/search/grams.rs",
        "WORD_BYTES_MAX",
        "a_long_word_is_none_and_two_long_words_are_no_pair",
    ),
    (
        "src/search/grams.rs",
        "SHORT_BYTES_MAX",
        "a_long_word_is_none_and_two_long_words_are_no_pair",
    ),
    (
        "src/codec/row.rs",
        "BODY_BYTES_MAX",
        "a_body_is_refused_past_its_limit",
    ),
    (
        "src/codec/properties_row.rs",
        "BODY_BYTES_MAX",
        "the_largest_properties_fit_into_a_row",
    ),
    (
        "src/codec/parts.rs",
        "ORDER_MAX",
        "parts_fill_pages_and_add_up",
    ),
    (
        "src/codec/segment.rs",
        "RAW_BYTES_MAX",
        "a_bomb_is_refused_before_it_is_unpacked",
    ),
    (
        "src/agents/parts/values/mod.rs",
        "TRIES_MAX",
        "records_are_found_up_to_the_last_try",
    ),
    (
        "src/agents/parts/values/mod.rs",
        "PASSES_MAX",
        "no_odd_input_takes_long",
    ),
    (
        "src/agents/native/reading.rs",
        "DEPTH_MAX",
        "images_nested_up_to_the_limit_are_blocks_and_deeper_ones_stay_json",
    ),
    (
        "src/agents/ggcode/reading.rs",
        "TITLE_BYTES_MAX",
        "hazard_3_5_8_a_title_is_cut_at_a_character",
    ),
    (
        "src/agents/picoclaw/meta.rs",
        "INDENTED_MAX",
        "a_deep_value_is_indented_no_further_than_the_limit",
    ),
    (
        "src/store/fold.rs",
        "WAITING_MAX",
        "as_many_titles_wait_as_promised",
    ),
    (
        "src/store/queue.rs",
        "ITEMS_MAX",
        "a_commit_takes_no_more_than_its_bound",
    ),
    (
        "src/store/queue.rs",
        "BYTES_MAX",
        "a_commit_takes_no_more_than_its_bound",
    ),
    (
        "src/render/markdown.rs",
        "LINE_BYTES_MAX",
        "a_title_is_one_line_of_bounded_length",
    ),
    (
        "src/render/image.rs",
        "URL_BYTES_MAX",
        "a_title_is_one_line_of_bounded_length",
    ),
    (
        "src/transfer/report.rs",
        "PROBLEMS_MAX",
        "a_report_lists_problems_up_to_its_limit_and_counts_the_rest",
    ),
    (
        "src/transfer/copy/report.rs",
        "REFUSED_MAX",
        "a_copy_lists_refusals_up_to_its_limit_and_counts_the_rest",
    ),
    (
        "src/transfer/import/sidecar_facts.rs",
        "FACTS_BYTES_MAX",
        "an_index_is_used_up_to_its_limit_and_beyond_it_is_kept_and_said",
    ),
    (
        "src/transfer/import/document_place.rs",
        "DOCUMENT_BYTES_MAX",
        "a_document_is_read_up_to_its_limit_and_beyond_it_is_kept_and_said",
    ),
    (
        "src/transfer/files/paths.rs",
        "ID_NAME_BYTES_MAX",
        "a_name_from_an_id_is_safe_and_bounded",
    ),
    (
        "src/transfer/export/file_names.rs",
        "NAME_BYTES_MAX",
        "a_long_name_stays_a_name",
    ),
    (
        "src/transfer/export/place.rs",
        "NAME_BYTES_MAX",
        "names_of_agents_stay_unless_they_are_unsafe",
    ),
    (
        "cli/src/transcript/sheet.rs",
        "LINES_MAX",
        "a_long_answer_of_a_tool_is_folded_and_says_where_the_rest_is",
    ),
    (
        "cli/src/session_list.rs",
        "ID_MAX",
        "ids_are_shown_as_far_as_they_differ",
    ),
    (
        "src/agents/claude_code/put_back.rs",
        "NAME_MAX",
        "of_a_long_path_the_folder_is_looked_for",
    ),
    (
        "src/render/call/diff.rs",
        "COMPARED_MAX",
        "a_large_change_is_all_gone_and_all_new",
    ),
    (
        "cli/src/escape.rs",
        "HELD_BYTES_MAX",
        "a_writer_passes_a_long_line_on_in_pieces_without_cutting_a_character",
    ),
    (
        "src/model/limits.rs",
        "UNPACKED_BYTES_MAX",
        "a_compressed_session_is_read_up_to_its_limit",
    ),
    (
        "cli/src/times.rs",
        "AGE_DAYS_MAX",
        "anything_else_is_refused",
    ),
    (
        "src/store/redb/search/merge.rs",
        "SMALL_RUNS_MAX",
        "runs_are_merged_and_forget_sessions_that_are_gone",
    ),
];

/// Limits of work, of what is looked at and of what is shown, those of a damaged file's pages, and
/// those of files and of a database that no test makes so large.
const PACES: [(&str, &str); 43] = [
    ("src/transfer/import/outlet.rs", "HELD_MAX"),
    ("src/search/grams.rs", "LOOKED_UP_MAX"),
    ("src/store/redb/search/calls.rs", "THREADS_MAX"),
    ("src/store/redb/search/guide.rs", "SESSIONS_MAX"),
    ("src/store/search/rank.rs", "COUNTED_MAX"),
    ("src/store/search/run.rs", "ROUND_MAX"),
    ("src/store/search/run.rs", "THREADS_MAX"),
    ("src/agents/opencode/tree.rs", "BYTES_MAX"),
    ("src/codec/file_order.rs", "BODY_BYTES_MAX"),
    ("src/codec/file_order.rs", "RUNS_MAX"),
    ("src/store/extension.rs", "FAMILY_MAX"),
    ("src/store/extension.rs", "CANDIDATES_MAX"),
    ("src/store/marks.rs", "SOURCES_MAX"),
    ("src/transfer/import/identity/mod.rs", "EARLIER_MAX"),
    ("src/transfer/import/identity/shape.rs", "LINES_MAX"),
    ("src/transfer/older.rs", "LIST_BYTES_MAX"),
    ("src/store/redb/ingest/known.rs", "PASSED_MAX"),
    ("src/render/inert.rs", "LANGUAGE_BYTES_MAX"),
    ("src/transfer/histories/journal/mod.rs", "SMALL_BYTES_MAX"),
    ("cli/src/commands/repair.rs", "RUNS_MAX"),
    ("src/store/redb/pages/check.rs", "LEVELS_MAX"),
    ("src/store/redb/pages/mod.rs", "ORDER_MAX"),
    ("src/store/redb/pages/walk.rs", "LEVELS_MAX"),
    ("src/store/redb/upkeep/repair/gather.rs", "PAGE_BYTES_MAX"),
    ("src/store/query.rs", "PROBLEMS_MAX"),
    ("src/agents/celeste/document.rs", "LOOK_MAX"),
    ("src/store/redb/engine/backend.rs", "PAUSE_MAX"),
    ("src/provider/gather.rs", "WAITING_MAX"),
    ("src/agents/parts/sqlite/open.rs", "STEPS_TIMES_MAX"),
    ("src/agents/opencode/tables.rs", "COLUMN_BYTES_MAX"),
    ("src/agents/opencode/tables.rs", "COLUMNS_BYTES_MAX"),
    ("src/agents/parts/sqlite/sql.rs", "NAME_BYTES_MAX"),
    ("src/agents/parts/sqlite/sql.rs", "LARGE_PARTS_MAX"),
    ("src/agents/parts/rows/beside.rs", "BESIDE_MAX"),
    ("src/agents/parts/rows/beside.rs", "CHAIN_MAX"),
    ("src/agents/cline/tasks.rs", "LIST_BYTES_MAX"),
    ("src/transfer/import/mod.rs", "WORKERS_MAX"),
    ("cli/src/commands/usage/printing.rs", "KEY_MAX"),
    ("cli/src/markdown/document.rs", "BYTES_MAX"),
    ("src/render/html/prose.rs", "BYTES_MAX"),
    ("src/render/html/images.rs", "IMAGE_BYTES_MAX"),
    ("src/render/html/images.rs", "PAGE_BYTES_MAX"),
    ("src/render/html/index.rs", "DAYS_MAX"),
];

/// The limits of files: constants whose name ends so, and all of `limits.rs`.
fn limits_of(files: &[File]) -> Vec<(String, String, bool)> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_crate()) {
        if file.path.starts_with("src/fuzz/") || file.path.starts_with("src/conformance/") {
            continue;
        }
        let mut documented = false;
        for line in file.text.lines() {
            let line = line.trim_start();
            let declared = line.split_once("const ").and_then(|(before, rest)| {
                let is_item = before.is_empty() || before.starts_with("pub");
                rest.split_once(": ").filter(|_| is_item)
            });
            if let Some((name, _)) = declared
                && (name.ends_with("_MAX") || file.path == "src/model/limits.rs")
            {
                found.push((file.path.clone(), name.to_owned(), documented));
            }
            documented = line.starts_with("///");
        }
    }
    found
}

fn tests_of(files: &[File]) -> Vec<String> {
    let mut tests = Vec::new();
    for file in files {
        let text = code(&file.text);
        let mut words = identifiers(&text).map(|(_, word)| word);
        while let Some(word) = words.next() {
            if word == "fn" {
                tests.extend(words.next().map(str::to_owned));
            }
        }
    }
    tests
}

fn complaints(files: &[File], table: &[(&str, &str, &str)], paces: &[(&str, &str)]) -> Vec<String> {
    let (limits, tests) = (limits_of(files), tests_of(files));
    let mut complaints = Vec::new();
    for (file, name, documented) in &limits {
        let is_listed = table.iter().any(|row| (row.0, row.1) == (file, name))
            || paces.contains(&(file.as_str(), name.as_str()));
        if !is_listed {
            complaints.push(format!("`{name}` of {file} has no test in the table"));
        }
        if !documented {
            complaints.push(format!("`{name}` of {file} has no doc"));
        }
    }
    let named = table
        .iter()
        .map(|row| (row.0, row.1))
        .chain(paces.iter().copied());
    for (file, name) in named {
        if !limits
            .iter()
            .any(|limit| (limit.0.as_str(), limit.1.as_str()) == (file, name))
        {
            complaints.push(format!("{file} has no `{name}`"));
        }
    }
    for (_, name, listed) in table {
        if listed.is_empty() {
            complaints.push(format!("`{name}` has no test"));
        }
        for test in listed.split_whitespace() {
            if !tests.iter().any(|there| there == test) {
                complaints.push(format!("`{test}`, the test of `{name}`, is not there"));
            }
        }
    }
    complaints
}

#[test]
fn every_limit_is_in_the_table_with_its_tests() {
    let files = rust_files();
    assert!(limits_of(&files).len() > 40, "the limits have moved");
    let complaints = complaints(&files, &LIMITS, &PACES);
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn a_limit_without_a_test_is_found() {
    let file = File::new(
        "src/a.rs",
        "//! A.\n/// B.\nconst B_MAX: usize = 1;\nfn at_b() {}",
    );
    let found = |table: &[(&str, &str, &str)], paces| {
        complaints(std::slice::from_ref(&file), table, paces).len()
    };
    assert_eq!(found(&[("src/a.rs", "B_MAX", "at_b")], &[]), 0);
    assert_eq!(found(&[], &[("src/a.rs", "B_MAX")]), 0);
    assert_eq!(found(&[], &[]), 1);
    assert_eq!(found(&[("src/a.rs", "B_MAX", "gone")], &[]), 1);
    assert_eq!(found(&[("src/a.rs", "B_MAX", "")], &[]), 1);
    assert_eq!(
        found(
            &[("src/a.rs", "B_MAX", "at_b"), ("src/a.rs", "C_MAX", "at_b")],
            &[]
        ),
        1
    );
}

/// Tests that cannot name a private limit have a copy of it.
#[test]
fn copies_of_limits_are_the_limits() {
    for (file, line) in [
        (
            "src/transfer/import/sidecar_facts.rs",
            "FACTS_BYTES_MAX: u64 = 16 * 1024 * 1024;",
        ),
        (
            "src/transfer/import/document_place.rs",
            "DOCUMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;",
        ),
        ("src/agents/native/reading.rs", "DEPTH_MAX: usize = 8;"),
    ] {
        assert!(read(file).contains(line), "{file}: {line}");
    }
    let copies = (FACTS_BYTES_MAX, DOCUMENT_BYTES_MAX, NESTED_IMAGES_MAX);
    assert_eq!(copies, (16 << 20, 64 << 20, 8));
}
