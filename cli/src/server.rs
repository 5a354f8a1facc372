//! Stores on a server, by their URL.

use std::path::Path;

use scrollback::Options;

use super::exit::Failure;
use super::open::Opened;

/// The URL, if that is what the name of a store is.
pub(crate) fn url(store: &Path) -> Option<&str> {
    let text = store.to_str()?;
    let is_url = ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    is_url.then_some(text)
}

/// Opens the store of a URL.
#[cfg(feature = "postgres")]
pub(crate) fn open(url: &str, options: &Options) -> Result<Opened, Failure> {
    let options = scrollback_postgres::Options::default()
        .with_connect_wait(options.lock_wait.min(std::time::Duration::from_secs(10)))
        .with_stamps(options.stamps.clone());
    let store = scrollback_postgres::PostgresStore::open(url, options)?;
    Ok(std::rc::Rc::new(store))
}

/// Says what this build lacks.
#[cfg(not(feature = "postgres"))]
pub(crate) fn open(_url: &str, _options: &Options) -> Result<Opened, Failure> {
    let text = "this build reaches no servers: build it with `--features postgres`";
    Err(Failure::Usage(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_no_file() {
        let is_url = |text: &str| url(Path::new(text)).is_some();
        assert!(is_url("postgres://me@db/x") && is_url("postgresql://db"));
        assert!(!is_url("postgres.redb") && !is_url("./postgres:/x") && !is_url(""));
    }
}
