//! The tables of contracts: every name, and the sentence that it stands for.
//!
//! Each table is a macro that hands its rows to another one, so that the lists of contracts and
//! the tests that a caller's crate gets are made from the same rows.

/// Hands the contracts of `Store` to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __scrollback_store_contracts {
    ([$($then:tt)*] $($arguments:tt)*) => {
        $($then)* ! { [$($arguments)*]
            saving::save_then_load_gives_the_session: "What `save` stored, `load` gives back: every field, every block, every unknown field.";
            saving::save_sets_the_time_of_update: "`save` sets the time of update, in the caller's copy and in the store, and never to an earlier one.";
            saving::save_keeps_the_time_of_creation: "A session keeps the time at which it was made; a first save without one sets it.";
            saving::save_gives_messages_ids_and_times: "`save` gives an id and a time to messages that have none, and no id twice.";
            saving::save_takes_an_empty_title_from_the_first_user_message: "`save` takes an empty title from the first message of the user.";
            saving::save_appends_and_rewrites_nothing: "`save` appends: what was stored before stays as it is, byte for byte.";
            saving::save_appends_new_messages_in_their_order: "`save` appends the messages whose ids are not stored yet, in their order.";
            saving::save_refuses_a_message_put_before_stored_ones: "`save` refuses a new message that stands before a stored one, and then writes nothing.";
            saving::save_refuses_two_messages_of_one_id: "`save` refuses two different messages of one id; the same one twice is stored once.";
            saving::save_refuses_a_changed_message_that_has_a_place: "`save` refuses a message that is named by its place and differs from the one that stands there.";
            saving::save_removes_nothing_that_a_copy_lacks: "`save` removes nothing, whatever the caller's copy lacks.";
            saving::save_knows_hidden_messages: "`save` knows hidden messages, and does not store them again.";
            saving::save_appends_a_changed_header: "`save` appends a changed title, project, model, parent or extra field as a new header line.";
            saving::save_refuses_a_changed_message: "`save` refuses a message whose content differs from the stored one, and then writes nothing.";
            saving::save_refuses_a_format_that_is_only_read: "`save` refuses a session whose agent's format is only read.";
            saving::save_never_writes_what_was_given: "`save` never writes a title, project or parent that was given by `update_properties` into a line.";
            saving::messages_without_an_id_are_named_by_their_place: "A message whose line holds no id is named by its place, `#12`, and `save` takes it for stored.";
            saving::save_names_messages_by_place_where_lines_hold_no_ids: "In a format whose lines hold no ids `save` names messages by their places, whatever ids they had.";
            reading::what_is_not_there_is_not_found: "A call on a session that is not there is `NotFound`, and creates none.";
            reading::load_gives_what_is_visible: "`load` gives the visible messages, oldest first, and no other record.";
            reading::ids_are_any_text_and_never_meet: "Ids are any text of 1 to 1024 bytes; two different ids are two sessions.";
            reading::agents_are_apart: "The same id of two agents names two sessions.";
            reading::summary_counts_what_is_stored: "The summary counts messages, hidden messages, records, bytes and damaged records as they are stored.";
            reading::summary_follows_the_lines: "The summary has the first and the last time of the lines, their title and the model that spoke last.";
            reading::numbers_ascend_in_the_order_of_creation: "Sessions are numbered ascending in the order in which they were made; no number comes again.";
            reading::a_long_title_is_cut_at_a_character: "The summary's title is cut at a character; the session's is whole.";
            reading::times_are_kept_to_the_microsecond: "Times are kept to the microsecond.";
            reading::export_markdown_writes_the_hidden_part_too: "`export_markdown` writes the title and every message, hidden ones too, in their order.";
            reading::export_markdown_says_when_the_output_fails: "`export_markdown` says `Output` if its output fails.";
            listing::list_is_newest_first: "`list` gives the session first that was updated last.";
            listing::list_breaks_ties_newer_session_first: "Of sessions that were updated at the same time, `list` gives the one first that was made last.";
            listing::list_gives_the_summaries: "`list` gives the same summaries as `summary`.";
            listing::list_pages_give_each_session_once: "The pages of a list give each session once, at most `limit` a page, and the last one says so.";
            listing::list_without_a_limit_gives_a_hundred: "A limit of 0 stands for 100.";
            listing::list_cursor_stays_valid_while_sessions_change: "A cursor, also one that was kept as text, stays valid while sessions come, go and change.";
            listing::list_filters_by_agent: "`list` gives the sessions of one agent.";
            listing::list_filters_by_project: "`list` gives the sessions of one project: the whole path, or its last components.";
            listing::list_filters_by_whole_project: "`list` gives the sessions of one whole path alone if that is asked for, with or without a leading `/`.";
            listing::list_filters_by_folders: "`list` gives the sessions of several folders and of all below them, newest first, page by page.";
            listing::list_takes_since_inclusive_and_before_strict: "`since` takes in the time itself, `before` does not.";
            listing::list_filters_by_title_whatever_the_case: "`list` gives the sessions whose title holds a text, whatever the case of its letters.";
            listing::list_filters_by_pin: "`list` gives pinned sessions only, or only others.";
            listing::list_filters_by_archive: "`list` gives archived sessions only, or only others.";
            families::list_filters_by_parent: "`list` gives the sessions of one parent, by their lines or by what was given, whoever came first, and of one agent if it is named.";
            families::list_pages_hold_children_too: "A list of a parent's sessions has the order, the pages and the other filters of any list.";
            families::list_by_parent_follows_changes: "A session leaves the list of its parent's when it gets another one, or is deleted.";
            families::a_session_is_not_its_own_child: "A session that names itself its parent has none.";
            listing::list_filters_hold_together_and_fill_pages: "Filters hold together, and a page counts only what they let through.";
            listing::find_gives_ids_that_start_so: "`find` gives the sessions whose id starts with the text, of every agent.";
            listing::find_gives_the_equal_id_alone: "`find` gives the session alone whose id is the text.";
            listing::find_looks_at_one_agent_alone: "`find` looks at one agent alone if the text names it.";
            listing::find_gives_at_most_the_limit: "`find` gives at most `limit` sessions.";
            listing::find_after_gives_the_rest: "`find` gives sessions in the order of ids and then of agents, and `find_after` those behind one of them, also if that is gone.";
            listing::find_falls_back_to_aliases: "Where no id fits, `find` gives the session that has the whole text as an alias.";
            removing::delete_removes_the_session_alone: "`delete` removes one session, with all that it has, and says how much that was.";
            removing::delete_unchanged_leaves_what_has_changed: "`delete_unchanged` deletes a session only as long as its next record has the expected number.";
            removing::a_deleted_session_leaves_nothing_behind: "A new session under the name of a deleted one has no batch, property, alias, mark or time of it.";
            cleaning::cleanup_is_strictly_before: "A clean-up deletes the sessions that were updated strictly before a time, and counts them.";
            cleaning::cleanup_takes_what_the_list_answers: "A clean-up deletes what `list` answers for the same `before`, but for what is pinned.";
            cleaning::cleanup_takes_one_agent_or_project: "A clean-up of an agent or a project leaves all others.";
            cleaning::cleanup_spares_what_is_pinned_and_what_it_started: "A clean-up spares pinned sessions, and what they started, unless it is told otherwise.";
            cleaning::cleanup_takes_what_was_started_along: "A clean-up takes what a session started along, all generations, but for what is pinned; loops end.";
            cleaning::cleanup_previews_what_it_deletes: "A preview of a clean-up tells what the clean-up deletes, and deletes nothing.";
            meta::ensure_meta_creates_a_session_with_its_header: "`ensure_meta` creates a session with a header line and no message.";
            meta::ensure_meta_leaves_a_session_alone: "`ensure_meta` does not touch a session that is there, and says so.";
            meta::ensure_meta_creates_a_session_of_a_format_without_headers: "In a format without header lines `ensure_meta` creates an empty session.";
            meta::ensure_meta_refuses_a_format_that_is_only_read: "`ensure_meta` refuses a session whose agent's format is only read.";
            appending::append_creates_the_session: "`append` creates a session that is not there; its first record has the number 0.";
            appending::append_of_nothing_creates_the_session_at_most: "`append` of no records creates a session that is not there, and does nothing else.";
            appending::append_answers_numbers_and_time: "`append` answers the numbers of the first and the last record, and the time of update.";
            appending::append_keeps_lines_byte_for_byte: "Lines are kept byte for byte, whether anybody can read them or not.";
            appending::append_ends_a_line_that_has_no_end: "`append` adds a missing line feed at the end of a line.";
            appending::append_refuses_two_lines_in_one_record: "`append` refuses a record with a line feed before its end.";
            appending::append_writes_messages_that_read_back_the_same: "A message that is appended is loaded as it was, with an id and a time if it had none.";
            appending::append_is_all_or_none: "If one record cannot be stored, none is.";
            appending::append_counts_a_line_without_time_as_written_now: "Lines that state no time count as written now.";
            appending::append_never_turns_the_time_back: "The time of update never goes back.";
            appending::append_takes_lines_of_a_format_that_is_only_read: "In a format that is only read, lines are taken and messages refused.";
            appending::append_goes_on_where_it_is_expected: "`Expect::Sequence` goes through when the next record gets that number; 0 is a session that is not there, or has had no record.";
            appending::append_refuses_what_is_not_expected: "`Expect::Sequence` is a `Conflict` with both numbers when the next record gets another one; nothing is written.";
            appending::append_takes_as_many_records_as_the_limit_says: "One append takes 100,000 records, and is `TooLarge` with one more.";
            appending::append_refuses_a_line_past_the_limit: "A line longer than 128 MiB is `TooLarge`, and nothing is written.";
            appending::append_with_changes_properties_too: "`append_with` appends and changes the properties; what it refuses changes neither.";
            batches::a_batch_that_is_sent_again_is_written_once: "A batch that is sent again writes nothing, and gets the numbers that it got.";
            batches::a_batch_is_known_whatever_is_expected: "A batch that is sent again is known before its expectation is looked at.";
            batches::a_batch_is_known_by_its_id_alone: "A batch is known by its id alone, not by its records.";
            batches::the_last_sixteen_batches_are_known: "A session remembers its last 16 batches.";
            batches::a_batch_is_known_whatever_others_append: "A batch is known for a day, however many others are appended meanwhile.";
            batches::a_batch_belongs_to_one_session: "The id of a batch means one session's batch alone.";
            batches::a_refused_batch_is_not_remembered: "A batch that was refused can be sent again.";
            batches::a_batch_of_nothing_is_not_remembered: "A batch without records is not remembered: what comes under its id later is written.";
            hiding::truncate_keeps_the_last_messages: "`truncate` hides all but the last messages, and says what it did.";
            hiding::truncate_to_nothing_hides_all: "`truncate` to 0 hides all that is there, and nothing that comes.";
            hiding::truncate_to_more_shows_messages_again: "`truncate` to a larger number shows hidden messages again.";
            hiding::truncate_counts_messages_and_not_records: "`truncate` counts messages, not records.";
            hiding::truncate_deletes_nothing: "`truncate` moves the mark, and changes nothing else.";
            hiding::hide_before_names_a_place: "`hide_before` hides the records before a number, so that what arrived since stays visible.";
            hiding::hide_before_never_moves_backward: "`hide_before` never shows a hidden record again.";
            hiding::hide_before_a_place_to_come_hides_what_is_there: "`hide_before` a number to come hides what is there, and nothing that comes.";
            replacing::replace_history_shows_only_the_new_records: "`replace_history` hides all that is there, and appends.";
            replacing::replace_history_removes_nothing: "`replace_history` removes nothing.";
            replacing::replace_history_creates_the_session: "`replace_history` creates a session that is not there.";
            replacing::replace_history_with_nothing_hides_all: "`replace_history` with no records hides all that is there.";
            replacing::replace_history_is_all_or_none: "If `replace_history` cannot store a record, it hides none.";
            properties::properties_are_empty_at_first: "A session has no properties until it is given some.";
            properties::properties_change_field_by_field: "`update_properties` changes the fields that are named, and answers all of them.";
            properties::properties_leave_lines_and_time_alone: "`update_properties` writes no line and leaves the time of update.";
            properties::properties_show_in_summaries_and_lists: "A given title, project and parent, a pin and an archive mark show in summaries, and lists filter by them.";
            properties::properties_win_until_they_are_taken_back: "A given title or project wins over later lines, until it is taken back.";
            properties::properties_stay_when_the_session_changes: "Properties stay through appends, truncations, compactions and replacements.";
            properties::properties_have_limits: "A property past its limit is `TooLarge`, and nothing is written.";
            properties::aliases_are_tidied: "Aliases are trimmed; empty ones, doubles and the session's own id are left out.";
            properties::by_alias_finds_the_session: "`by_alias` gives the session that has the alias, as long as it has it.";
            properties::aliases_are_of_one_agent: "Each agent has its own aliases.";
            properties::an_alias_belongs_to_its_first_session: "An alias that another session has is `AliasTaken`, and nothing is written; one that was given up is free.";
            properties::an_alias_never_hides_a_session: "An alias never stands for a session in other calls, and never hides one of that id.";
            compacting::compact_removes_what_is_hidden: "`compact` removes the hidden records for good, and says how much that was.";
            compacting::compact_keeps_the_summary_true: "After `compact` the summary counts what is left; title and time stay.";
            compacting::compact_without_hidden_records_removes_nothing: "`compact` removes nothing if nothing is hidden, whatever mark it is given.";
            compacting::compact_keeps_header_lines: "`compact` keeps header lines.";
            compacting::compact_removes_at_most_through_a_mark: "`compact` through a mark leaves alone what was hidden behind it.";
            compacting::compact_archives_the_lines_that_go: "`compact` writes the lines that it removes to the archive, in their order, and no others.";
            compacting::compact_removes_nothing_if_the_archive_fails: "If the archive cannot be written, `compact` says `Output` and removes nothing.";
            compacting::numbers_are_never_used_twice: "A sequence number is never used twice, not even when its record is gone.";
            compacting::reclaim_changes_no_session: "`reclaim` changes no session.";
            compacting::a_store_keeps_its_id: "A store that has an id keeps it, and another store has another one.";
            scanning::scan_goes_both_ways: "`scan` gives all records in order, oldest or newest first.";
            scanning::scan_starts_where_it_is_told: "`scan` starts at the number that it is told, that one included, both ways.";
            scanning::scan_passes_over_gaps: "A number without a record starts a `scan` at the next one that has one.";
            scanning::scan_pages_hold_so_many_records: "A page has at most `records_max` records, and its `next` goes on without a gap or a double.";
            scanning::scan_pages_hold_so_many_bytes: "A page takes no further record once it has `bytes_max` bytes, and always one.";
            scanning::scan_without_limits_gives_a_thousand: "A `records_max` of 0 stands for 1,000.";
            scanning::scan_without_limits_gives_four_mebibytes: "A `bytes_max` of 0 stands for 4 MiB.";
            scanning::scan_gives_hidden_records_too: "`scan` gives hidden records like any other.";
            scanning::records_tell_what_they_are: "A record's header tells its kind, role, messages, time and damage.";
            searching::search_finds_what_messages_say: "`search` finds the messages of which a text, a call of a tool or an answer fits, newest first, and no other.";
            searching::search_finds_what_is_hidden: "`search` finds what a truncation has hidden, until a compaction removes it.";
            searching::search_filters_hold_together: "`search` keeps to the roles, tools, times, agents and sessions that are asked for, all at once.";
            searching::search_pages_give_each_hit_once: "The pages of a search give each hit once, at most `limit` a page, also by a cursor that was kept as text.";
            searching::search_counts_all_that_fits: "`search_counts` counts all that fits, whatever the limit.";
            viewing::a_message_that_is_written_again_is_one: "A message that is written again under its id is loaded and counted once, in its last state, at the place of its first, and `exceptions` says so.";
            viewing::find_message_leads_to_its_first_place: "`find_message` gives the number of a message's first place, hidden or not.";
            viewing::take_back_appends_a_line_that_says_so: "`take_back` takes the last message back that is visible and live, by a line that is appended; nothing else changes.";
            viewing::take_back_writes_where_it_is_expected_alone: "`take_back` is a `Conflict` where another number is next, `Unsupported` where the format has no such line, and nothing where no message is left.";
            viewing::truncate_keeps_a_tools_answer_with_its_call: "`truncate` never leaves a tool's answer without its call: it keeps that too.";
            written::every_write_moves_written_at_on: "A store that keeps `written_at` has its own time there, behind those of the lines, and moves it on with every call that changes the session.";
            written::what_writes_nothing_leaves_written_at: "A call that changes nothing of a session leaves its `written_at` as it is.";
            threads::appends_of_several_threads_are_all_kept: "Of appends by several threads each is kept once, under its numbers, in its thread's order.";
            threads::one_of_several_expectations_holds: "Of several appends that expect the same number one goes through; the others are a `Conflict`.";
            threads::one_of_several_retries_is_written: "A batch that several threads send at once is written once.";
            threads::an_append_is_seen_whole_or_not_at_all: "A reader sees an append whole or not at all.";
            threads::one_of_several_threads_creates_a_session: "Of several `ensure_meta` one creates the session, with one header.";
            threads::saves_of_several_threads_are_all_kept: "Saves of several copies keep the messages of all of them.";
            threads::a_save_beside_appends_keeps_both: "Saves beside appends keep the messages of both.";
            threads::a_replaced_history_is_seen_whole: "A reader sees the history before a replacement or after it.";
            threads::one_of_several_threads_claims_an_alias: "Of several sessions that claim an alias one gets it.";
        }
    };
}

/// Hands the contracts of stores that can be opened again to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __scrollback_reopening_contracts {
    ([$($then:tt)*] $($arguments:tt)*) => {
        $($then)* ! { [$($arguments)*]
            reopening::what_was_acknowledged_is_there_again: "What a call has answered is there when the store is opened again.";
            reopening::marks_and_compactions_are_there_again: "What was hidden stays hidden, and what was removed stays away.";
            reopening::numbers_go_on_when_opened_again: "Numbers of records and of sessions go on, and none comes again.";
            reopening::batches_are_known_when_opened_again: "A batch is known to a store that was opened again.";
            reopening::properties_are_there_again: "Properties and aliases are there when the store is opened again.";
        }
    };
}

/// Hands the contracts of stores that can hold a torn line to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __scrollback_torn_contracts {
    ([$($then:tt)*] $($arguments:tt)*) => {
        $($then)* ! { [$($arguments)*]
            torn::an_append_never_fuses_with_a_torn_line: "Behind a line without its line feed, `append` writes a record of one line feed first; its answer leaves that out.";
            torn::a_save_never_fuses_with_a_torn_line: "Behind a line without its line feed, `save` writes a record of one line feed first.";
            torn::behind_a_torn_line_the_next_record_is_expected: "`Expect::Sequence` is the number of the next record, which behind a torn line is its line feed.";
            torn::an_append_of_nothing_leaves_a_torn_line_alone: "An append without records changes nothing of a torn line.";
            torn::a_retry_behind_a_torn_line_gives_the_same_numbers: "A batch behind a torn line gets the same numbers again.";
        }
    };
}

/// Hands the contracts of `SessionStore` to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __scrollback_session_store_contracts {
    ([$($then:tt)*] $($arguments:tt)*) => {
        $($then)* ! { [$($arguments)*]
            session_store::add_message_is_in_the_history: "What `add_message` adds is in the history, in order, with its role and every character.";
            session_store::add_full_message_keeps_calls_and_results: "`add_full_message` keeps a tool's call and its result.";
            session_store::an_unknown_session_is_empty: "A session that is not there has no messages and no summary, and to ask is no error.";
            session_store::keys_never_meet: "Keys are any text; two different keys are two sessions.";
            session_store::set_summary_is_kept_beside_the_messages: "`set_summary` creates the session; truncations and `save` leave the summary alone.";
            session_store::set_history_takes_the_place_of_all_messages: "`set_history` takes the place of all visible messages, and creates the session.";
            session_store::set_history_takes_messages_of_the_history_itself: "`set_history` takes back messages that `get_history` gave, in any order.";
            session_store::set_history_keeps_the_summary: "`set_history` leaves the summary alone.";
            session_store::truncate_history_keeps_the_last_messages: "`truncate_history` keeps the last messages.";
            session_store::truncate_history_to_nothing_or_less_hides_all: "`truncate_history` to 0 or less hides all that is there, and nothing that comes.";
            session_store::truncate_history_to_more_shows_nothing_again: "`truncate_history` to more than there is changes nothing.";
            session_store::truncate_history_keeps_a_result_with_its_call: "`truncate_history` never parts a tool's result from its call.";
            session_store::save_removes_nothing_that_is_visible: "`save` and `close` leave visible messages and the summary alone.";
            session_store::what_cannot_be_kept_is_an_error_to_ask_for: "A write that cannot be kept does not fail, but there is an error to ask for, once.";
            session_store::messages_of_several_threads_are_all_kept: "Messages that several threads add are all kept, in the order of each thread.";
            session_store::a_message_that_arrives_meanwhile_is_kept: "A message that arrives beside a truncation that keeps it, or beside `save`, stays.";
        }
    };
}

/// A table of contracts from rows.
macro_rules! contracts {
    ([] $($module:ident::$name:ident: $states:literal;)*) => {
        &[$(Contract { name: stringify!($name), states: $states, run: $module::$name }),*]
    };
}

/// A test for each row, of what `$make` makes.
#[doc(hidden)]
#[macro_export]
macro_rules! __scrollback_contract_tests {
    ([$contracts:ident, $Make:ident, $make:expr] $($module:ident::$name:ident: $states:literal;)*) => {
        $(
            #[doc = $states]
            #[test]
            fn $name() -> ::std::result::Result<(), $crate::conformance::Failure> {
                let make: &$crate::conformance::$Make = &$make;
                $crate::conformance::run_one(
                    $crate::conformance::$contracts,
                    stringify!($name),
                    make,
                )
            }
        )*
    };
}
