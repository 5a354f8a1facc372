//! A server that wants to be spoken to in secret: whose certificate is taken, and what is said where it is not.

use std::path::{Path, PathBuf};

use scrollback::{Error, Expect, NewRecord, SessionKey, Store as _};
use scrollback_postgres::{Options, PostgresStore};

use crate::cluster::Cluster;

/// Where the program is that makes certificates.
const PLACES: [&str; 2] = ["/usr/bin/openssl", "/usr/local/bin/openssl"];

/// A server with a certificate, which the role `worker` may use over TLS alone.
struct Secret {
    cluster: Cluster,
    /// Certificates of the authority that the server's is of, and of another one.
    authority: PathBuf,
    stranger: PathBuf,
}

impl Secret {
    fn start() -> Option<Self> {
        let Some(openssl) = PLACES.iter().find(|place| Path::new(place).exists()) else {
            eprintln!("SKIPPED: openssl is not there");
            return None;
        };
        let cluster = Cluster::start("-c fsync=off")?;
        let make = |arguments: &str| {
            let arguments: Vec<&str> = arguments.split(' ').collect();
            let made = cluster.run(openssl, &arguments);
            assert!(made.status.success(), "{made:?}");
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        for name in ["authority", "stranger"] {
            make(&format!(
                "req -x509 {key} -keyout {name}.key -out {name}.pem -days 2 -subj /CN={name}"
            ));
        }
        make(&format!(
            "req {key} -keyout server.key -out server.csr -subj /CN=server"
        ));
        let folder = cluster.folder();
        std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
        make(
            "x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 \
             -extfile names -out server.pem",
        );
        cluster.sql("CREATE ROLE worker LOGIN SUPERUSER");
        for (setting, file) in [
            ("ssl_cert_file", "server.pem"),
            ("ssl_key_file", "server.key"),
        ] {
            let path = folder.join(file);
            cluster.sql(&format!(
                "ALTER SYSTEM SET {setting} = '{}'",
                path.display()
            ));
        }
        let access = "host all tester 127.0.0.1/32 trust\nhostssl all worker 127.0.0.1/32 trust\n";
        std::fs::write(Path::new(&cluster.data()).join("pg_hba.conf"), access).unwrap();
        Some(Self {
            authority: folder.join("authority.pem"),
            stranger: folder.join("stranger.pem"),
            cluster,
        })
    }

    /// Whether the server speaks TLS.
    fn turn(&self, on: &str) {
        self.cluster.sql(&format!("ALTER SYSTEM SET ssl = {on}"));
        self.cluster.sql("SELECT pg_reload_conf()");
        self.cluster
            .wait_for(&format!("current_setting('ssl') = '{on}'"));
    }

    fn open(
        &self,
        role: &str,
        parameters: &str,
        options: Options,
    ) -> scrollback::Result<PostgresStore> {
        let port = self.cluster.port;
        let url = format!("postgres://{role}@127.0.0.1:{port}/postgres?{parameters}");
        PostgresStore::open(&url, options)
    }

    fn options(&self, authority: &Path) -> Options {
        self.cluster.options().with_root_certificates(authority)
    }
}

/// That a store cannot be opened, why, and that coming again does not help.
fn assert_refused(opened: scrollback::Result<PostgresStore>, why: &str) {
    let Err(error) = opened else {
        panic!("opened, though: {why}");
    };
    let said = std::error::Error::source(&error).map(ToString::to_string);
    let said = said.unwrap_or_default();
    assert!(said.contains(why), "{error:?} does not say: {why}");
    assert!(
        said.contains("127.0.0.1") || said.contains("certificates"),
        "{said}"
    );
    assert!(
        matches!(error, Error::Storage { .. }) && !error.is_retryable(),
        "{error:?}"
    );
}

#[test]
fn a_certificate_is_checked_and_what_is_refused_is_said() {
    let Some(secret) = Secret::start() else {
        return;
    };
    secret.turn("off");
    without_tls(&secret);
    secret.turn("on");
    with_tls(&secret);
}

/// A connection is encrypted where both sides can, and never to a server whose certificate does not fit.
fn with_tls(secret: &Secret) {
    let good = || secret.options(&secret.authority);
    for mode in ["sslmode=require", "sslmode=prefer", ""] {
        let store = secret.open("worker", mode, good()).unwrap();
        let said = [NewRecord::line(
            "{\"scrollback\":1,\"type\":\"note\"}\n".to_owned(),
        )];
        let key = SessionKey::native("one").unwrap();
        store.append(&key, Expect::Any, None, &said).unwrap();
        let encrypted = secret.cluster.sql(
            "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
             WHERE application_name = 'scrollback' AND usename = 'worker'",
        );
        assert_eq!(encrypted, "t\n", "{mode}");
    }
    for mode in ["sslmode=require", "sslmode=prefer"] {
        let stranger = secret.options(&secret.stranger);
        assert_refused(secret.open("worker", mode, stranger), "UnknownIssuer");
        // The system's authorities do not know it.
        let unnamed = secret.cluster.options();
        assert_refused(secret.open("worker", mode, unnamed), "UnknownIssuer");
    }
    let other_name = format!(
        "postgres://worker@db.internal:{}/postgres?sslmode=require&hostaddr=127.0.0.1",
        secret.cluster.port
    );
    let Err(error) = PostgresStore::open(&other_name, good()) else {
        panic!("the certificate is not of that name");
    };
    assert!(
        format!("{error:?}").contains("not valid for name"),
        "{error:?}"
    );
    let plain = secret.open("worker", "sslmode=disable", good());
    assert_refused(plain, "no encryption (28000)");
    // A role that may: in plain words, though the server could do better.
    secret.open("tester", "sslmode=disable", good()).unwrap();
}

/// A server without TLS is used by who only prefers it, if it lets them in.
fn without_tls(secret: &Secret) {
    let good = || secret.options(&secret.authority);
    assert_refused(
        secret.open("tester", "sslmode=require", good()),
        "server does not support TLS",
    );
    secret.open("tester", "sslmode=prefer", good()).unwrap();
    assert_refused(
        secret.open("worker", "sslmode=prefer", good()),
        "no encryption (28000)",
    );
    let missing = secret.options(Path::new("nowhere.pem"));
    assert_refused(
        secret.open("tester", "sslmode=prefer", missing),
        "nowhere.pem",
    );
    let key = secret.authority.with_extension("key");
    let no_certificate = secret.options(&key);
    assert_refused(
        secret.open("tester", "sslmode=prefer", no_certificate),
        "no certificate in PEM",
    );
}
