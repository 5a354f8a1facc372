//! Other names of sessions: resolving them, setting them, and taking over what was said under one.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::store_sessions::{StoreSessions, or_default};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::properties::PropertiesChange;
use crate::model::session::Summary;
use crate::store::{Expect, NewRecord, ScanQuery, StoreExt as _};

/// How opaque keys start.
const OPAQUE: &str = "sk_v1_";

/// The opaque key of an alias: it says nothing of the chat that it stands for, and needs no
/// escaping in a file name.
///
/// ```
/// let key = scrollback::picoclaw::opaque_key("Agent:Main:Telegram:42");
/// assert_eq!(key, scrollback::picoclaw::opaque_key("agent:main:telegram:42"));
/// assert!(key.starts_with("sk_v1_") && key.len() == 6 + 64);
/// ```
pub fn opaque_key(alias: &str) -> String {
    let mut key = OPAQUE.to_owned();
    for byte in Sha256::digest(alias.to_lowercase()) {
        for digit in [byte >> 4, byte & 15] {
            key.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    key
}

impl StoreSessions {
    /// The session that a key or an alias names. A session whose key needs no escaping in a file
    /// name goes before an alias; otherwise the alias does. White space around a key counts only
    /// if there is no session without it. A key that names nothing yet is itself.
    ///
    /// Costs a few lookups, however many sessions there are.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] if the key cannot name a session; else what the store says.
    pub fn resolve(&self, key: &str) -> Result<SessionKey> {
        let given = SessionKey::new(&*self.agent, key)?;
        let trimmed = match key.trim() {
            trimmed if trimmed == key || trimmed.is_empty() => given.clone(),
            trimmed => SessionKey::new(&*self.agent, trimmed)?,
        };
        let is_plain = !trimmed.id().contains([':', '/', '\\']);
        if is_plain && self.summary_of(&trimmed)?.is_some() {
            return Ok(trimmed);
        }
        if let Some(session) = self.store.by_alias(&trimmed)? {
            return Ok(session);
        }
        let is_known = trimmed != given && self.summary_of(&trimmed)?.is_some();
        Ok(if is_known { trimmed } else { given })
    }

    /// Gives a session other names, instead of those that it has. Creates the session.
    ///
    /// # Durability
    ///
    /// On disk when this returns `Ok`; after an error nothing of it is.
    ///
    /// # Errors
    ///
    /// [`Error::AliasTaken`] if another session has one of them; else what the store says.
    pub fn set_aliases(&self, key: &str, aliases: &[&str]) -> Result<()> {
        let change = PropertiesChange {
            aliases: Some(aliases.iter().map(|alias| (*alias).to_owned()).collect()),
            ..PropertiesChange::default()
        };
        self.change(&SessionKey::new(&*self.agent, key)?, &change)
    }

    /// Copies the visible messages and the summary of the first session under one of `aliases`
    /// that has some to the session `canonical`, if that has neither. Returns the session that was
    /// copied; it stays as it is.
    ///
    /// An agent's main session (`agent:<name>:main`, or its [`opaque_key`]) is never taken over.
    ///
    /// # Durability
    ///
    /// The messages are there all or none. After an error the summary may be missing; the same
    /// call again adds it.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn promote_alias_history(
        &self,
        canonical: &str,
        aliases: &[&str],
    ) -> Result<Option<SessionKey>> {
        let canonical = SessionKey::new(&*self.agent, canonical)?;
        let there = self.summary_of(&canonical)?;
        if !or_default(self.store.properties(&canonical))?
            .summary
            .is_empty()
        {
            return Ok(None);
        }
        for alias in aliases.iter().map(|alias| alias.trim()) {
            if alias.is_empty() || alias == canonical.id() || is_main(alias, aliases) {
                continue;
            }
            let from = SessionKey::new(&*self.agent, alias)?;
            let Some(session) = self.summary_of(&from)? else {
                continue;
            };
            let summary = self.store.properties(&from)?.summary;
            let is_empty = session.message_count <= session.hidden_count;
            if is_empty && summary.is_empty() {
                continue;
            }
            // Messages without a summary may be what an earlier call copied before it was stopped.
            let is_used = there.as_ref().is_some_and(|there| there.message_count > 0);
            if is_used && (summary.is_empty() || is_empty) {
                return Ok(None);
            }
            let copied = self.copy(&session, &canonical, there.as_ref(), &summary)?;
            return Ok(copied.then_some(from));
        }
        Ok(None)
    }

    /// Copies a session's visible lines in one step, unless somebody else wrote there meanwhile.
    fn copy(
        &self,
        from: &Summary,
        to: &SessionKey,
        there: Option<&Summary>,
        summary: &str,
    ) -> Result<bool> {
        let visible = ScanQuery {
            from: Some(from.mark),
            ..ScanQuery::default()
        };
        let mut lines = Vec::new();
        for record in self.store.records(&from.key, visible) {
            let record = record?;
            if record.header.messages > 0 {
                lines.push(NewRecord::Line(record.line));
            }
        }
        // A session with nothing said in it is taken; one with messages answers with a conflict.
        let expect = there.map_or(0, |there| {
            if there.message_count == 0 {
                there.next_sequence
            } else {
                0
            }
        });
        if !lines.is_empty() {
            let batch = Some(batch_of(&from.key, to));
            match self
                .store
                .append(to, Expect::Sequence(expect), batch, &lines)
            {
                // Somebody spoke there meanwhile: what they said stays.
                Err(Error::Conflict { .. }) => return Ok(false),
                other => other?,
            };
        }
        if !summary.is_empty() {
            let change = PropertiesChange {
                summary: Some(summary.to_owned()),
                ..PropertiesChange::default()
            };
            self.change(to, &change)?;
        }
        Ok(true)
    }
}

/// Whether an alias is an agent's main session, or the opaque form of one among the others.
fn is_main(alias: &str, aliases: &[&str]) -> bool {
    let is_plain_main = |alias: &str| {
        let mut parts = alias.split(':');
        let named = [parts.next(), parts.next(), parts.next(), parts.next()];
        matches!(named, [Some("agent"), Some(name), Some("main"), None] if !name.is_empty())
    };
    is_plain_main(alias)
        || (alias.starts_with(OPAQUE)
            && aliases
                .iter()
                .map(|other| other.trim())
                .any(|other| is_plain_main(other) && opaque_key(other) == alias))
}

/// The same id for the same copy, so that a repeated call finds out what an earlier one did.
fn batch_of(from: &SessionKey, to: &SessionKey) -> Uuid {
    let digest = Sha256::new()
        .chain_update(from.to_string())
        .chain_update([0])
        .chain_update(to.to_string())
        .finalize();
    let mut bytes = [0; 16];
    for (byte, from) in bytes.iter_mut().zip(digest) {
        *byte = from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
