//! A new session as ggcode makes one.

use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::raw_json::RawJson;
use crate::model::session::Session;
use crate::store::Stamps;

/// A new session of agent `ggcode`, with an id as ggcode makes it: the time in UTC, to the second,
/// and 16 random hex digits. Time and randomness are those of the stamps. Nothing is stored.
///
/// The title is empty, so that the first question becomes it.
///
/// ```
/// use scrollback::{MemoryStore, Stamps, Store};
/// use scrollback::ggcode::ggcode_session;
///
/// let session = ggcode_session(&Stamps::default(), "zai", "coding", "glm-5")?;
/// assert_eq!(session.key.id().len(), "20260403-094500-4ef5ec8110305427".len());
/// assert!(MemoryStore::default().ensure_meta(&session)?);
/// # Ok::<(), scrollback::Error>(())
/// ```
///
/// # Errors
///
/// Never, as long as texts are JSON strings and such ids are keys.
pub fn ggcode_session(
    stamps: &Stamps,
    vendor: &str,
    endpoint: &str,
    model: &str,
) -> Result<Session> {
    let now = (stamps.clock)();
    // The lower half of a uuid: of version 7 the upper one is mostly the time.
    let (_, random) = (stamps.ids)().as_u64_pair();
    let id = format!("{}-{random:016x}", now.format("%Y%m%d-%H%M%S"));
    let mut session = Session::new(SessionKey::new("ggcode", id)?);
    session.model = Some(model.to_owned());
    session.extra = vec![
        ("vendor".to_owned(), RawJson::from_value(&vendor)?),
        ("endpoint".to_owned(), RawJson::from_value(&endpoint)?),
    ];
    Ok(session)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::store::{MemoryStore, Store as _};

    #[test]
    fn feature_generated_id_of_ggcode_is_the_time_and_16_hex_digits() {
        let stamps = Stamps::default()
            .with_clock(|| "2026-04-03T09:45:00.9Z".parse().unwrap())
            .with_ids(|| Uuid::from_u64_pair(1, 0x0ef5_ec81_1030_5427));
        let session = ggcode_session(&stamps, "zai", "coding", "glm-5").unwrap();
        assert_eq!(
            session.key.to_string(),
            "ggcode:20260403-094500-0ef5ec8110305427"
        );
        assert_eq!(session.title, "");
        let store = MemoryStore::default();
        assert!(store.ensure_meta(&session).unwrap());
        let loaded = store.load(&session.key).unwrap();
        assert_eq!(loaded.model.as_deref(), Some("glm-5"));
        let extra = |name: &str| {
            let found = loaded.extra.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.as_str().to_owned())
        };
        assert_eq!(extra("vendor").as_deref(), Some("\"zai\""));
        assert_eq!(extra("endpoint").as_deref(), Some("\"coding\""));
    }

    #[test]
    fn two_ids_of_one_second_differ() {
        let stamps = Stamps::default().with_clock(|| "2026-04-03T09:45:00Z".parse().unwrap());
        let make = || ggcode_session(&stamps, "v", "e", "m").unwrap().key;
        assert_ne!(make(), make());
    }
}
