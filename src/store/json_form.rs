//! Summaries and reports of a store as JSON, where their fields are not simply those of the struct.
//! The names are stable.

use serde::de::Error as _;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::copies::{Restored, StoreCounts};
use super::query::{Cursor, SessionDigest, StoreStats, VerifyReport};
use crate::model::key::SessionKey;
use crate::model::record::Record;
use crate::model::session::Summary;

impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Summary", 25)?;
        fields.serialize_field("id", self.key.id())?;
        fields.serialize_field("agent", self.key.agent())?;
        fields.serialize_field("project", &self.project)?;
        fields.serialize_field("title", &self.title)?;
        fields.serialize_field("created_at", &self.created_at)?;
        fields.serialize_field("updated_at", &self.updated_at)?;
        fields.serialize_field("written_at", &self.written_at)?;
        fields.serialize_field("message_count", &self.message_count)?;
        fields.serialize_field("record_count", &self.record_count)?;
        fields.serialize_field("bytes", &self.bytes)?;
        fields.serialize_field("malformed_count", &self.malformed_count)?;
        fields.serialize_field("attachment_count", &self.attachment_count)?;
        fields.serialize_field("hidden_count", &self.hidden_count)?;
        fields.serialize_field("mark", &self.mark)?;
        fields.serialize_field("model", &self.model)?;
        fields.serialize_field("branch", &self.branch)?;
        fields.serialize_field("parent", &self.parent)?;
        fields.serialize_field("pinned", &self.pinned)?;
        fields.serialize_field("archived", &self.archived)?;
        fields.serialize_field("contents", &self.contents)?;
        fields.serialize_field("archived_by_agent", &self.archived_by_agent)?;
        fields.serialize_field("subagent", &self.subagent)?;
        fields.serialize_field("subagents", &self.subagents)?;
        fields.serialize_field("number", &self.number)?;
        fields.serialize_field("cursor", &Cursor::of(self).to_string())?;
        fields.end()
    }
}

/// As the text that [`Cursor`] is printed as.
impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// The line is a text, where U+FFFD stands for what is not UTF-8.
impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Record", 6)?;
        fields.serialize_field("sequence", &self.sequence)?;
        fields.serialize_field("kind", &self.header.kind)?;
        fields.serialize_field("role", &self.header.role)?;
        fields.serialize_field("time", &self.header.time())?;
        fields.serialize_field("messages", &self.header.messages)?;
        fields.serialize_field("line", &String::from_utf8_lossy(&self.line))?;
        fields.end()
    }
}

impl Serialize for StoreStats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let total = self.total();
        let mut fields = serializer.serialize_struct("StoreStats", 11)?;
        fields.serialize_field("sessions", &total.sessions)?;
        fields.serialize_field("messages", &total.messages)?;
        fields.serialize_field("records", &total.records)?;
        fields.serialize_field("bytes", &total.bytes)?;
        fields.serialize_field("malformed", &total.malformed)?;
        fields.serialize_field("attachments", &total.attachments)?;
        fields.serialize_field("attachment_bytes", &self.attachment_bytes)?;
        fields.serialize_field("index_bytes", &self.index_bytes)?;
        fields.serialize_field("disk_bytes", &self.disk_bytes)?;
        fields.serialize_field("ratio", &self.ratio())?;
        fields.serialize_field("agents", &self.agents)?;
        fields.end()
    }
}

impl Serialize for VerifyReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rewritten: Vec<String> = self.rewritten.iter().map(ToString::to_string).collect();
        let mut fields = serializer.serialize_struct("VerifyReport", 13)?;
        fields.serialize_field("clean", &self.is_clean())?;
        fields.serialize_field("sessions", &self.sessions)?;
        fields.serialize_field("records", &self.records)?;
        fields.serialize_field("bytes", &self.bytes)?;
        fields.serialize_field("attachments", &self.attachments)?;
        fields.serialize_field("databases", &self.databases)?;
        fields.serialize_field("scrub_due", &self.scrub_due)?;
        fields.serialize_field("sources", &self.sources)?;
        fields.serialize_field("index_entries", &self.index_entries)?;
        fields.serialize_field("problems", &self.problems)?;
        fields.serialize_field("problems_more", &self.problems_more)?;
        fields.serialize_field("digests", &self.deep.then_some(&self.digests))?;
        fields.serialize_field("rewritten", &rewritten)?;
        fields.end()
    }
}

impl Serialize for Restored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let StoreCounts {
            sessions,
            records,
            bytes,
            attachments,
        } = self.counts;
        let replaced = |count: fn(&StoreCounts) -> u64| self.replaced.as_ref().map(count);
        let mut fields = serializer.serialize_struct("Restored", 8)?;
        fields.serialize_field("sessions", &sessions)?;
        fields.serialize_field("records", &records)?;
        fields.serialize_field("bytes", &bytes)?;
        fields.serialize_field("attachments", &attachments)?;
        fields.serialize_field("replaced_sessions", &replaced(|counts| counts.sessions))?;
        fields.serialize_field("replaced_records", &replaced(|counts| counts.records))?;
        fields.serialize_field("replaced_bytes", &replaced(|counts| counts.bytes))?;
        fields.serialize_field(
            "replaced_attachments",
            &replaced(|counts| counts.attachments),
        )?;
        fields.end()
    }
}

/// The head of a chain, as it is written.
#[derive(Serialize, Deserialize)]
struct WrittenDigest {
    session: String,
    from: u64,
    records: u64,
    rewrites: u64,
    digest: String,
}

impl Serialize for SessionDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WrittenDigest {
            session: self.key.to_string(),
            from: self.from,
            records: self.records,
            rewrites: self.rewrites,
            digest: hex(&self.digest),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SessionDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = WrittenDigest::deserialize(deserializer)?;
        let key = written
            .session
            .split_once(':')
            .and_then(|(agent, id)| SessionKey::new(agent, id).ok());
        let (Some(key), Some(digest)) = (key, unhex(&written.digest)) else {
            let (session, digest) = (written.session, written.digest);
            return Err(D::Error::custom(format_args!(
                "`{session}` with digest `{digest}`"
            )));
        };
        Ok(Self {
            key,
            from: written.from,
            records: written.records,
            rewrites: written.rewrites,
            digest,
        })
    }
}

fn hex(digest: &[u8]) -> String {
    digest
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(high << 4 | low),
            _ => None,
        })
        .collect::<Option<_>>()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::AgentStats;

    #[test]
    fn a_digest_comes_back_from_its_text_and_other_text_is_refused() {
        let digest: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 8).unwrap() ^ 0xf5);
        let head = SessionDigest {
            key: SessionKey::native("a:b").unwrap(),
            from: 1,
            records: 2,
            rewrites: 3,
            digest,
        };
        let text = serde_json::to_string(&head).unwrap();
        assert_eq!(serde_json::from_str::<SessionDigest>(&text).unwrap(), head);
        let written = hex(&digest);
        let longer = format!("{written}00");
        for other in ["", "0", "00", &longer, &written.replace('f', "g")] {
            let text = text.replace(&written, other);
            assert!(
                serde_json::from_str::<SessionDigest>(&text).is_err(),
                "{other}"
            );
        }
        let nameless = text.replace("native:a:b", "native");
        let refused = serde_json::from_str::<SessionDigest>(&nameless).unwrap_err();
        assert!(refused.to_string().contains("`native` with digest"));
    }

    #[test]
    fn the_total_is_the_sum_of_the_agents() {
        let of = |sessions, bytes| AgentStats {
            sessions,
            bytes,
            ..AgentStats::default()
        };
        let stats = StoreStats {
            agents: vec![of(2, 300), of(1, 100)],
            disk_bytes: 100,
            ..StoreStats::default()
        };
        let total = stats.total();
        assert_eq!((total.sessions, total.bytes), (3, 400));
        assert_eq!(stats.ratio(), Some(0.25));
        assert_eq!(StoreStats::default().ratio(), None);
    }

    #[test]
    fn a_shallow_verification_has_no_digests() {
        let json = |deep| {
            let report = VerifyReport {
                deep,
                ..VerifyReport::default()
            };
            serde_json::to_value(report).unwrap()["digests"].to_string()
        };
        assert_eq!((json(false).as_str(), json(true).as_str()), ("null", "[]"));
    }
}
