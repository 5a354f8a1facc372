//! Keys, aliases and scopes.

use scrollback::picoclaw::{SessionStore, opaque_key};
use scrollback::{Error, Properties, RawJson, Store};

use super::{add, history, key, lines, sessions};

#[test]
fn aliases_lead_every_call_to_the_session() {
    let (sessions, store) = sessions();
    let canonical = opaque_key("agent:main:telegram:42");
    sessions
        .set_aliases(
            &canonical,
            &[" agent:main:telegram:42 ", "tg42", "tg42", ""],
        )
        .unwrap();
    add(&sessions, "agent:main:telegram:42", &["1", "2"]);
    add(&sessions, "tg42", &["3"]);
    sessions.set_summary("tg42", "S");
    assert_eq!(history(&sessions, &canonical), ["1", "2", "3"]);
    assert_eq!(sessions.get_summary(&canonical), "S");
    sessions.truncate_history(" tg42", 1);
    assert_eq!(history(&sessions, "tg42"), ["3"]);
    sessions.save("tg42").unwrap();
    assert_eq!(store.summary(&key(&canonical)).unwrap().record_count, 1);
    assert_eq!(sessions.list_sessions().unwrap().len(), 1);
    let properties = sessions.properties("tg42").unwrap();
    assert_eq!(properties.aliases, ["agent:main:telegram:42", "tg42"]);
}

#[test]
fn a_key_without_separators_goes_before_an_alias_and_others_after() {
    let (sessions, _) = sessions();
    add(&sessions, "plain", &["own"]);
    add(&sessions, "telegram:1", &["old"]);
    sessions
        .set_aliases("canonical", &["plain", "telegram:1"])
        .unwrap();
    add(&sessions, "canonical", &["new"]);
    assert_eq!(history(&sessions, "plain"), ["own"]);
    assert_eq!(history(&sessions, "telegram:1"), ["new"]);
    assert_eq!(sessions.resolve("unknown:1").unwrap(), key("unknown:1"));
    assert_eq!(sessions.resolve(" plain ").unwrap(), key("plain"));
    assert_eq!(sessions.resolve(" unknown ").unwrap(), key(" unknown "));
}

#[test]
fn an_alias_belongs_to_who_claimed_it_first() {
    let (sessions, _) = sessions();
    sessions.set_aliases("first", &["x:1"]).unwrap();
    let taken = sessions.set_aliases("second", &["x:1"]);
    assert!(matches!(taken, Err(Error::AliasTaken { .. })), "{taken:?}");
    add(&sessions, "x:1", &["a"]);
    assert_eq!(history(&sessions, "first"), ["a"]);
}

#[test]
fn promotion_copies_what_was_said_under_an_alias_and_keeps_it() {
    let (sessions, store) = sessions();
    add(&sessions, "tg:7", &["0", "1", "2"]);
    sessions.truncate_history("tg:7", 2);
    sessions.set_summary("tg:7", "S");
    let copied = sessions
        .promote_alias_history("canonical", &["nobody", " tg:7 ", "other"])
        .unwrap();
    assert_eq!(copied, Some(key("tg:7")));
    assert_eq!(history(&sessions, "canonical"), ["1", "2"]);
    assert_eq!(sessions.get_summary("canonical"), "S");
    assert_eq!(history(&sessions, "tg:7"), ["1", "2"]);
    assert_eq!(lines(&*store, "canonical"), lines(&*store, "tg:7")[1..]);
    add(&sessions, "tg:7", &["3"]);
    let again = sessions.promote_alias_history("canonical", &["tg:7"]);
    assert_eq!(again.unwrap(), None);
    assert_eq!(history(&sessions, "canonical"), ["1", "2"]);
}

#[test]
fn promotion_never_mixes_with_what_is_there_and_goes_on_after_a_stop() {
    let (sessions, _) = sessions();
    add(&sessions, "tg:7", &["1"]);
    sessions.set_summary("tg:7", "S");
    add(&sessions, "busy", &["own"]);
    let promoted = sessions.promote_alias_history("busy", &["tg:7"]);
    assert_eq!(promoted.unwrap(), None);
    assert_eq!(history(&sessions, "busy"), ["own"]);
    assert_eq!(sessions.get_summary("busy"), "");
    sessions.set_summary("noted", "own");
    let promoted = sessions.promote_alias_history("noted", &["tg:7"]);
    assert_eq!(promoted.unwrap(), None);
    assert_eq!(history(&sessions, "noted"), [""; 0]);

    // As if the first call had been stopped between the messages and the summary.
    sessions.promote_alias_history("late", &["tg:7"]).unwrap();
    sessions.set_summary("late", "");
    let promoted = sessions.promote_alias_history("late", &["tg:7"]);
    assert_eq!(promoted.unwrap(), Some(key("tg:7")));
    assert_eq!(history(&sessions, "late"), ["1"]);
    assert_eq!(sessions.get_summary("late"), "S");
}

#[test]
fn an_agents_main_session_is_never_promoted() {
    let (sessions, _) = sessions();
    let main = "agent:main:main";
    add(&sessions, main, &["of everybody"]);
    add(&sessions, &opaque_key(main), &["of everybody"]);
    for aliases in [&[main][..], &[main, &opaque_key(main)]] {
        let promoted = sessions.promote_alias_history("chat", aliases);
        assert_eq!(promoted.unwrap(), None);
    }
    add(&sessions, "agent:main:telegram:1", &["mine"]);
    let aliases = [main, "agent:main:telegram:1"];
    let promoted = sessions.promote_alias_history("chat", &aliases);
    assert_eq!(promoted.unwrap(), Some(key("agent:main:telegram:1")));
}

#[test]
fn scope_metadata_is_kept_beside_the_lines() {
    let (sessions, store) = sessions();
    let scope = RawJson::parse("{\"version\":1,\"agent_id\":\"main\",\"x\":1.50}").unwrap();
    sessions.set_scope("a:1", Some(scope.clone())).unwrap();
    add(&sessions, "a:1", &["1"]);
    assert_eq!(sessions.properties("a:1").unwrap().scope, Some(scope));
    assert!(
        lines(&*store, "a:1")
            .iter()
            .all(|line| !line.contains("agent_id"))
    );
    sessions.set_scope("a:1", None).unwrap();
    assert_eq!(sessions.properties("a:1").unwrap(), Properties::default());
    assert_eq!(sessions.properties("none").unwrap(), Properties::default());
}

#[test]
fn opaque_keys_do_not_depend_on_the_case_of_letters() {
    assert_eq!(
        opaque_key("ABC"),
        "sk_v1_ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}
