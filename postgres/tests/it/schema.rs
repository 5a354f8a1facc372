//! The tables: who may make them, what a reader may do, which plans the server makes, whose rows are whose.

use std::sync::Arc;

use scrollback::{
    Error, Expect, Ingest as _, ListQuery, Message, NewRecord, Role, SessionKey, Store as _,
};
use scrollback_postgres::{Options, PostgresStore};

use crate::cluster::{Cluster, shared};

fn said(text: &str) -> NewRecord {
    NewRecord::message(Message::text(Role::User, text))
}

/// A store of its own on the server, with a session in which "hi" was said.
fn with_one(cluster: &Cluster) -> (Options, PostgresStore, SessionKey) {
    let options = cluster.options();
    let store = cluster.open(options.clone());
    let key = SessionKey::native("one").unwrap();
    let said = [said("hi")];
    store.append(&key, Expect::Any, None, &said).unwrap();
    (options, store, key)
}

#[test]
fn a_list_is_served_by_an_index_and_sorted_by_nobody() {
    let Some(cluster) = shared() else {
        return;
    };
    let (options, _store, _key) = with_one(&cluster);
    let schema = &options.schema;
    cluster.sql(&format!(
        "INSERT INTO {schema}.sessions SELECT n + 1000000, 1, '', 'codex', n::text::bytea, n, \
             '/w'::bytea, NULL, true, false, false, false, '' FROM generate_series(1, 20000) n; \
             ANALYZE {schema}.sessions"
    ));
    for condition in ["", "AND agent = 'codex'", "AND project = '/w'"] {
        let plan = cluster.sql(&format!(
                "EXPLAIN SELECT number, version, row FROM {schema}.sessions WHERE listed AND \
                 (updated_us, number) < (9000, 0) AND updated_us >= 0 AND updated_us < 99999 {condition} \
                 ORDER BY updated_us DESC, number DESC LIMIT 50"
            ),
        );
        assert!(plan.contains("Index Scan Backward"), "{condition}: {plan}");
        assert!(
            !plan.contains("Sort") && !plan.contains("Seq Scan"),
            "{condition}: {plan}"
        );
    }
}

#[test]
fn what_was_changed_behind_its_back_is_found_and_the_rest_can_be_read() {
    let Some(cluster) = shared() else {
        return;
    };
    let options = cluster.options();
    let store = cluster.open(options.clone());
    for id in ["one", "two"] {
        store
            .append(
                &SessionKey::native(id).unwrap(),
                Expect::Any,
                None,
                &[said(id)],
            )
            .unwrap();
    }
    let sound = store.verify(&mut scrollback::unwatched).unwrap();
    assert!(sound.is_clean() && sound.digests.len() == 2, "{sound:?}");
    assert_eq!(store.stats().unwrap().agents[0].sessions, 2);
    let schema = &options.schema;
    cluster.sql(&format!(
            "UPDATE {schema}.cells SET value = set_byte(value, 40, 255 - get_byte(value, 40)) WHERE owner = 1 AND tab = 1"
        ),
    );
    let report = store.verify(&mut scrollback::unwatched).unwrap();
    assert_eq!(report.problems.len(), 1, "{report:?}");
    assert_eq!(report.problems[0].table, "records");
    cluster.sql(&format!(
        "DELETE FROM {schema}.cells WHERE owner = 2 AND tab = 1"
    ));
    let report = store.verify(&mut scrollback::unwatched).unwrap();
    assert_eq!(report.problems.len(), 2, "{report:?}");
    assert_eq!(store.list(&ListQuery::default()).unwrap().sessions.len(), 2);
}

#[test]
fn tables_of_a_newer_version_are_refused_and_left_alone() {
    let Some(cluster) = shared() else {
        return;
    };
    let options = cluster.options();
    drop(cluster.open(options.clone()));
    cluster.sql(&format!(
        "UPDATE {}.info SET value = '\\x00000063' WHERE name = 'format'",
        options.schema
    ));
    let opened = PostgresStore::open(&cluster.url(), options);
    assert!(
        matches!(opened, Err(Error::UnsupportedVersion { found: 99, .. })),
        "{opened:?}"
    );
}

#[test]
fn tables_of_the_first_format_are_brought_to_this_one_with_what_is_in_them() {
    let Some(cluster) = shared() else {
        return;
    };
    let (options, store, key) = with_one(&cluster);
    let before = store.summary(&key).unwrap();
    drop(store);
    let (info, shown) = (format!("{}.info", options.schema), "'format'");
    cluster.sql(&format!(
        "UPDATE {info} SET value = '\\x00000001' WHERE name = {shown}"
    ));
    let opened = PostgresStore::open(&cluster.url(), options.clone().with_migrates(false));
    let told = opened.map(drop).unwrap_err();
    assert!(matches!(told, Error::Storage { .. }), "{told:?}");
    let store = cluster.open(options);
    assert_eq!(store.summary(&key).unwrap(), before);
    assert!(before.written_at.is_some());
    let found = cluster.sql(&format!("SELECT value FROM {info} WHERE name = {shown}"));
    assert!(found.contains("\\x00000002"), "{found}");
}

#[test]
fn many_who_open_at_once_make_the_tables_once() {
    let Some(cluster) = shared() else {
        return;
    };
    let options = cluster.options();
    std::thread::scope(|scope| {
        let open = |_| scope.spawn(|| cluster.open(options.clone()).id().unwrap());
        let opened: Vec<_> = (0..8).map(open).collect();
        let ids: Vec<_> = opened
            .into_iter()
            .map(|opened| opened.join().unwrap().unwrap().id)
            .collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    });
}

#[test]
fn a_role_that_may_only_read_lists_and_shows_and_is_told_that_it_may_not_write() {
    let Some(cluster) = shared() else {
        return;
    };
    let (options, store, key) = with_one(&cluster);
    let schema = &options.schema;
    cluster.sql(&format!(
        "CREATE ROLE reader_{schema} LOGIN; GRANT USAGE ON SCHEMA {schema} TO reader_{schema}; \
             GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader_{schema}"
    ));
    let url = cluster.url().replace("tester", &format!("reader_{schema}"));
    let reader = PostgresStore::open(&url, options).unwrap();
    assert_eq!(
        reader.list(&ListQuery::default()).unwrap().sessions.len(),
        1
    );
    assert_eq!(reader.load(&key).unwrap().messages.len(), 1);
    let refused = reader.append(&key, Expect::Any, None, &[said("no")]);
    assert!(
        matches!(&refused, Err(Error::Storage { .. })),
        "{refused:?}"
    );
    assert_eq!(store.load(&key).unwrap().messages.len(), 1);
}

/// Random bytes, which no compression makes shorter, so many that a longer key would not fit a page's third.
#[test]
fn the_longest_key_is_one_that_the_server_indexes() {
    let Some(cluster) = shared() else {
        return;
    };
    let options = cluster.options();
    let _store = cluster.open(options.clone());
    let random = |bytes: usize| {
        format!(
            "INSERT INTO {}.cells SELECT {bytes}, 1, substring(string_agg(decode(md5(random()::text), 'hex'), '') \
             FROM 1 FOR {bytes}), '' FROM generate_series(1, 300)",
            options.schema
        )
    };
    cluster.sql(&random(2600));
    let refused = cluster.try_sql(&random(2800));
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("exceeds btree"),
        "{refused:?}"
    );
}

#[test]
fn each_schema_is_a_store_of_its_own_and_its_name_is_no_statement() {
    let Some(cluster) = shared() else {
        return;
    };
    let key = SessionKey::native("one").unwrap();
    let [one, other] = ["team \"a\"; DROP SCHEMA x", "team b"]
        .map(|schema| cluster.open(cluster.options().with_schema(schema)));
    one.append(&key, Expect::Any, None, &[said("hi")]).unwrap();
    assert!(matches!(other.summary(&key), Err(Error::NotFound { .. })));
    assert_ne!(one.id().unwrap(), other.id().unwrap());
}

#[test]
fn a_server_that_is_not_there_is_unavailable_and_no_password_is_told() {
    let url = format!(
        "postgres://me:secret@127.0.0.1:{}/x",
        crate::cluster::free_port()
    );
    let opened = PostgresStore::open(&url, Options::default());
    let Err(error) = opened else {
        panic!("{opened:?}");
    };
    assert!(error.is_retryable(), "{error:?}");
    assert!(
        !format!("{error} {error:?}").contains("secret"),
        "{error:?}"
    );
    assert!(PostgresStore::open("postgres://me:secret@h:x/", Options::default()).is_err());
}

#[test]
fn it_is_used_and_dropped_inside_an_async_runtime() {
    let Some(cluster) = shared() else {
        return;
    };
    for threads in [1, 2] {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build();
        let cluster = Arc::clone(&cluster);
        runtime.unwrap().block_on(async move {
            let key = SessionKey::native("one").unwrap();
            let task = tokio::spawn(async move {
                let store = cluster.open(cluster.options());
                store
                    .append(&key, Expect::Any, None, &[said("hi")])
                    .unwrap();
                store.load(&key).unwrap().messages.len()
            });
            assert_eq!(task.await.unwrap(), 1);
        });
    }
}

/// A schema, with a role that owns it and nothing else, and the URL of that role.
fn tenant(cluster: &Cluster) -> (scrollback_postgres::Options, String) {
    let options = cluster.options();
    let schema = &options.schema;
    let made = cluster.sql(&format!(
        "CREATE ROLE owner_{schema} LOGIN; CREATE SCHEMA {schema} AUTHORIZATION owner_{schema}"
    ));
    assert!(made.contains("CREATE SCHEMA"), "{made}");
    let url = cluster.url().replace("tester", &format!("owner_{schema}"));
    (options, url)
}

#[test]
fn a_tenant_has_a_schema_and_a_role_and_sees_nothing_of_another() {
    let Some(cluster) = shared() else {
        return;
    };
    let tenants = [tenant(&cluster), tenant(&cluster)];
    let key = SessionKey::native("of the same name").unwrap();
    for (at, (options, url)) in tenants.iter().enumerate() {
        let store = PostgresStore::open(url, options.clone()).unwrap();
        assert!(
            store
                .list(&ListQuery::default())
                .unwrap()
                .sessions
                .is_empty()
        );
        for number in 0..=at {
            let line = [said(&format!("tenant {at}, {number}"))];
            store.append(&key, Expect::Any, None, &line).unwrap();
        }
        assert_eq!(store.load(&key).unwrap().messages.len(), at + 1);
    }
    // With the role of one, the schema of the other: not to read, and not to write.
    let [(one, _), (_, other)] = &tenants;
    for migrates in [true, false] {
        let opened = PostgresStore::open(other, one.clone().with_migrates(migrates));
        let refused = match opened {
            Ok(store) => store.list(&ListQuery::default()).map(drop),
            Err(error) => Err(error),
        };
        assert!(matches!(refused, Err(Error::Storage { .. })), "{refused:?}");
    }
    // Nor by a statement of its own.
    for statement in ["SELECT count(*) FROM", "DELETE FROM"] {
        let statement = format!("{statement} {}.sessions", one.schema);
        let role = format!("owner_{}", tenants[1].0.schema);
        let output = cluster.try_sql_as(&role, &statement);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("permission denied for schema"), "{told}");
    }
}
