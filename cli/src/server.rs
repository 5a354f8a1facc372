//! Stores on a server, by their URL.

use std::path::Path;
use std::rc::Rc;

use scrollback::{Ingest, Options};

use super::exit::Failure;

/// The URL, if that is what the name of a store is.
pub(crate) fn url(store: &Path) -> Option<&str> {
    let text = store.to_str()?;
    let is_url = ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    is_url.then_some(text)
}

/// A URL without its password, and without what stands behind a question mark, where one could be too.
pub(crate) fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
    match rest.rsplit_once('@') {
        Some((who, host)) => {
            let user = who.split_once(':').map_or(who, |(user, _)| user);
            format!("{scheme}://{user}@{host}")
        }
        None => format!("{scheme}://{rest}"),
    }
}

/// Opens the store of a URL.
#[cfg(feature = "postgres")]
pub(crate) fn open(url: &str, options: &Options) -> Result<Rc<dyn Ingest>, Failure> {
    let options = scrollback_postgres::Options::default()
        .with_connect_wait(options.lock_wait.min(std::time::Duration::from_secs(10)))
        .with_stamps(options.stamps.clone());
    let store = scrollback_postgres::PostgresStore::open(url, options)?;
    Ok(Rc::new(store))
}

/// Says what this build lacks.
#[cfg(not(feature = "postgres"))]
pub(crate) fn open(_url: &str, _options: &Options) -> Result<Rc<dyn Ingest>, Failure> {
    let text = "this build reaches no servers: build it with `--features postgres`";
    Err(Failure::Usage(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        for (url, expected) in [
            (
                "postgres://me:se@cret@db:5/x?password=y",
                "postgres://me@db:5/x",
            ),
            ("postgresql://db/x", "postgresql://db/x"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }

    #[test]
    fn a_url_is_no_file() {
        let is_url = |text: &str| url(Path::new(text)).is_some();
        assert!(is_url("postgres://me@db/x") && is_url("postgresql://db"));
        assert!(!is_url("postgres.redb") && !is_url("./postgres:/x") && !is_url(""));
    }
}
