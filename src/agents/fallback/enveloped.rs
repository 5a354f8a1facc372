//! Agents that keep sessions as Claude Code does, `projects/<folder>/<session>.jsonl`, with the same envelope
//! around each message, of which no more is known. What tells one from another is the home alone, so
//! such an agent is a few words about itself.

use std::path::Path;

use super::Fallback;
use crate::agents::agent::Agent;
#[cfg(any(test, fuzzing))]
use crate::agents::agent::Samples;
use crate::agents::companions::{Companions, Sidecar};
use crate::agents::default_home::DefaultHome;
use crate::agents::dialect::{Candidate, Dialect};
use crate::agents::parts::fields::{fields_of, is_true, owned, text, text_filled};
use crate::agents::parts::injected::PutIn;
use crate::agents::parts::lines::{Format, Reading};
use crate::agents::parts::meta_file::META_ENDING;
use crate::agents::parts::paths::{self, below, names};
use crate::agents::parts::{titles, tokens};
use crate::json::Json;
use crate::model::links::{Act, Answer, Links, Place, id_hash};
use crate::model::message::{Block, Message, Role};
use crate::model::record::RecordKind;

/// The folder of projects in a home, and that of a session's sub-agents.
const PROJECTS: &str = "projects";
const SUBAGENTS: &str = "subagents";

/// How the name of a sub-agent's file begins.
const SUBAGENT: &str = "agent-";

/// Kinds of lines that say nothing.
const EVENTS: [&str; 20] = [
    "system",
    "progress",
    "attachment",
    "summary",
    "custom-title",
    "ai-title",
    "active-leaf",
    "content-replacement",
    "last-prompt",
    "mode",
    "relocated",
    "runtime-config",
    "tag",
    "token-stats",
    "workspace-directories",
    "worktree-state",
    "file-history-snapshot",
    "queue-operation",
    "user",
    "assistant",
];

/// What is put into a person's name, in tags.
const PUT_IN: PutIn = PutIn {
    tags: &[
        "system-reminder",
        "local-command-stdout",
        "local-command-caveat",
    ],
    starts: &[],
};

/// One such agent.
#[derive(Debug)]
pub(crate) struct Enveloped {
    /// Its name, and others that are taken for it.
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// What people call it, and where its sessions are found.
    pub title: &'static str,
    pub found: &'static str,
    /// The folder of all that it keeps, by its name in the user's home.
    pub home: &'static str,
    pub homes: &'static [DefaultHome],
    /// The command that goes on with a session, without its id; empty if none is known.
    pub resume: &'static [&'static str],
    /// A path of a session, for tests.
    #[cfg(any(test, fuzzing))]
    pub paths: &'static [&'static str],
}

impl Enveloped {
    /// The names below a project's folder.
    fn in_project(&self, path: &Path) -> Option<Vec<String>> {
        let names = names(path);
        let rest = below(&names, &[self.home, PROJECTS])?;
        (rest.len() > 1).then(|| rest.get(1..).unwrap_or_default().to_vec())
    }

    /// The session below whose folder a sub-agent's file lies.
    fn parent_of(&self, path: &Path) -> Option<String> {
        match self.in_project(path)?.as_slice() {
            [session, folder, .., name] if folder == SUBAGENTS && name.starts_with(SUBAGENT) => {
                Some(session.clone())
            }
            _ => None,
        }
    }

    fn is_session(&self, path: &Path) -> bool {
        let is_main = matches!(self.in_project(path).as_deref(), Some([_]));
        paths::is_lines(path) && (is_main || self.parent_of(path).is_some())
    }
}

impl Dialect for Enveloped {
    fn agent(&self) -> &'static str {
        self.name
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        self.is_session(candidate.path)
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        let stem = paths::stem(candidate.path);
        match stem.strip_prefix(SUBAGENT).filter(|id| !id.is_empty()) {
            Some(id) => id.to_owned(),
            None => stem,
        }
    }

    fn parent(&self, candidate: &Candidate<'_>) -> Option<String> {
        self.parent_of(candidate.path)
    }

    fn has_unique_ids(&self) -> bool {
        true
    }
}

impl Companions for Enveloped {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        let rest = self.in_project(path)?;
        let about = rest.last()?.strip_suffix(META_ENDING)?;
        let session = about.strip_prefix(SUBAGENT).unwrap_or(about);
        (!session.is_empty()).then(|| Sidecar::Session(session.to_owned()))
    }
}

impl Agent for Enveloped {
    fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn found(&self) -> &'static str {
        self.found
    }

    fn homes(&self) -> &'static [DefaultHome] {
        self.homes
    }

    fn folders(&self) -> &'static [&'static str] {
        &[PROJECTS]
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        let words = self.resume.iter().chain([&id]);
        (!self.resume.is_empty()).then(|| words.map(|word| (*word).to_owned()).collect())
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            // Their lines are like those of another agent, which has them wherever else they lie.
            lines: &[],
            paths: self.paths,
        }
    }
}

/// The envelope of a line.
struct Envelope<'a> {
    kind: String,
    id: Option<Json<'a>>,
    parent: Option<Json<'a>>,
    session: Option<Json<'a>>,
    agent: Option<Json<'a>>,
    branch: Option<Json<'a>>,
    is_note: bool,
    is_side: bool,
    answer: Option<Answer>,
}

impl<'a> Envelope<'a> {
    fn of(object: Json<'a>) -> Self {
        let [
            kind,
            id,
            parent,
            session,
            agent,
            branch,
            meta,
            compact,
            side,
            message,
            request,
        ] = fields_of(
            Some(object),
            &[
                "type",
                "uuid",
                "parentUuid",
                "sessionId",
                "agentId",
                "gitBranch",
                "isMeta",
                "isCompactSummary",
                "isSidechain",
                "message",
                "requestId",
            ],
        );
        Self {
            kind: text(kind).unwrap_or_default().into_owned(),
            id,
            parent,
            session,
            agent,
            branch,
            is_note: is_true(meta) || is_true(compact),
            is_side: is_true(side),
            answer: answer(message, request),
        }
    }

    fn links(&self, role: Option<Role>) -> Links {
        let hash = |id| text_filled(id).map(|id| id_hash(&id));
        let id = hash(self.id);
        let place = match role {
            _ if id.is_none() => Place::Apart,
            Some(Role::User) if !self.is_note => Place::Asked,
            Some(Role::Assistant) => Place::Answered,
            _ => Place::Way,
        };
        Links {
            id,
            parent: hash(self.parent),
            place,
            answer: self.answer,
            ..Links::default()
        }
    }
}

/// The answer that a message is a part of: it may stand on several lines.
fn answer(message: Option<Json<'_>>, request: Option<Json<'_>>) -> Option<Answer> {
    let [id, usage] = fields_of(message, &["id", "usage"]);
    let request = text_filled(request).unwrap_or_default();
    Some(Answer {
        key: id_hash(&format!("{} {request}", text_filled(id)?)),
        usage: tokens::in_any_spelling(usage)?,
    })
}

/// What a line takes back that says where the talk goes on: what hangs on other lines tells that too, but where
/// the person went back to.
fn rewound(object: Json<'_>) -> Act {
    let [leaf, rewound] = fields_of(Some(object), &["leafUuid", "rewound"]);
    match text_filled(leaf) {
        _ if !is_true(rewound) => Act::None,
        Some(leaf) => Act::RewindBehind(id_hash(&leaf)),
        // Behind nothing: everything.
        None => Act::RewindTo(id_hash("")),
    }
}

impl Format for Enveloped {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let envelope = Envelope::of(object);
        let mut reading = Fallback.read(object);
        if reading.kind == RecordKind::Message {
            // A note in the user's name would become the title.
            if envelope.is_note {
                reading.facts.title = None;
            }
        } else if EVENTS.contains(&envelope.kind.as_str()) {
            reading.kind = RecordKind::Event;
            let [custom, made, summary, moved] = fields_of(
                Some(object),
                &["customTitle", "aiTitle", "summary", "relocatedCwd"],
            );
            if envelope.kind == "relocated" {
                reading.facts.project = text_filled(moved);
                reading.facts.moved = reading.facts.project.is_some();
            }
            reading.facts.title = match envelope.kind.as_str() {
                "custom-title" => titles::changed(text(custom), titles::CHOSEN),
                "ai-title" => titles::changed(text(made), titles::GENERATED),
                "summary" => titles::latest(text(summary), titles::SUMMARY),
                _ => None,
            };
        }
        let facts = &mut reading.facts;
        facts.branch = text_filled(envelope.branch);
        facts.links = envelope.links(reading.role);
        if envelope.kind == "active-leaf" {
            facts.links.act = rewound(object);
        }
        let [from] = fields_of(Some(object), &["forkedFrom"]);
        let [from] = fields_of(from, &["sessionId"]);
        facts.parent = text_filled(from);
        if envelope.is_side {
            facts.child = text_filled(envelope.agent);
            // A sub-agent's lines have the session's id; without an agent's id they are a talk
            // beside, in the same file.
            facts.parent = text_filled(envelope.session).filter(|_| facts.child.is_some());
            facts.subagent = facts.parent.is_some();
        }
        reading
    }

    fn message(&self, object: Json<'_>) -> Message {
        let envelope = Envelope::of(object);
        let mut message = Fallback.message(object);
        let is_answer = |block: &Block| matches!(block, Block::ToolResult { .. });
        // Tools' answers stand in the user's name.
        if message.role == Role::User && message.content.iter().any(is_answer) {
            message.role = Role::Tool;
        }
        message.injected =
            message.role == Role::User && (envelope.is_note || PUT_IN.is_message(&message));
        message.agent_id = owned(envelope.agent).filter(|_| envelope.is_side);
        message
    }

    fn about(&self, object: Json<'_>) -> Option<Message> {
        let envelope = Envelope::of(object);
        Some(Message {
            id: Some(owned(envelope.id)?),
            parent_id: owned(envelope.parent),
            ..Message::new(Role::Other)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::{all, recognise, recognise_found};

    const ONE: Enveloped = Enveloped {
        name: "one",
        aliases: &[],
        title: "One",
        found: "`.one/projects`",
        home: ".one",
        homes: &[],
        resume: &[],
        paths: &[],
    };

    #[test]
    fn messages_hang_on_each_other_and_answers_count_once() {
        let line =
            |fields: &str| format!(r#"{{"uuid":"u2","parentUuid":"u1","sessionId":"s",{fields}}}"#);
        let said = line(
            r#""type":"assistant","requestId":"r","message":{"role":"assistant","id":"a","content":[{"type":"text","text":"x"}],"usage":{"input_tokens":3,"output_tokens":4}}"#,
        );
        let links = ONE.describe(said.as_bytes()).facts.links;
        assert_eq!(
            (links.place, links.parent),
            (Place::Answered, Some(id_hash("u1")))
        );
        assert_eq!(links.answer.unwrap().usage.output_tokens, 4);
        let result = line(
            r#""type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"x"}]}"#,
        );
        assert_eq!(ONE.messages(result.as_bytes())[0].role, Role::Tool);
        for (fields, injected) in [
            (
                r#""type":"user","message":{"role":"user","content":"hi"}"#,
                false,
            ),
            (
                r#""type":"user","isMeta":true,"message":{"role":"user","content":"hi"}"#,
                true,
            ),
            (
                r#""type":"user","message":{"role":"user","content":"<system-reminder>x</system-reminder>"}"#,
                true,
            ),
        ] {
            let found = ONE.messages(line(fields).as_bytes()).remove(0);
            assert_eq!(found.injected, injected, "{fields}");
        }
        let titled = r#"{"type":"custom-title","customTitle":"T","sessionId":"s"}"#;
        let described = ONE.describe(titled.as_bytes());
        assert_eq!(described.header.kind, RecordKind::Event);
        assert_eq!(described.facts.title.unwrap().rank, titles::CHOSEN);
        let act = |line: &str| ONE.describe(line.as_bytes()).facts.links.act;
        for (fields, expected) in [
            (r#""leafUuid":"u1","explicit":false"#, Act::None),
            (
                r#""leafUuid":"u1","explicit":true,"rewound":true"#,
                Act::RewindBehind(id_hash("u1")),
            ),
            (
                r#""leafUuid":null,"explicit":true,"rewound":true"#,
                Act::RewindTo(id_hash("")),
            ),
        ] {
            let line = format!(r#"{{"type":"active-leaf","sessionId":"s",{fields}}}"#);
            assert_eq!(act(&line), expected, "{fields}");
        }
        let moved = ONE.describe(br#"{"type":"relocated","sessionId":"s","relocatedCwd":"/v"}"#);
        assert_eq!(
            (moved.facts.project.as_deref(), moved.facts.moved),
            (Some("/v"), true)
        );
        let copied = line(
            r#""forkedFrom":{"sessionId":"o","messageUuid":"u1"},"type":"user","message":{"role":"user","content":"hi"}"#,
        );
        let facts = ONE.describe(copied.as_bytes()).facts;
        assert_eq!(
            (facts.parent.as_deref(), facts.subagent),
            (Some("o"), false)
        );
        let next = ONE.describe(br#"{"type":"of-next-year","uuid":"u"}"#);
        assert_eq!(next.header.kind, RecordKind::Unknown);
    }

    #[test]
    fn the_home_alone_tells_whose_a_session_is() {
        let line = r#"{"uuid":"u1","parentUuid":null,"sessionId":"s","type":"user","message":{"role":"user","content":"hi"}}"#;
        let found = |path: &str| {
            let candidate = Candidate::new(Path::new(path), line.as_bytes());
            let agent = recognise_found(&candidate)?;
            Some((
                agent.agent(),
                agent.session_id(&candidate),
                agent.parent(&candidate),
            ))
        };
        for (path, expected) in [
            ("/h/.qoder/projects/-w/a.jsonl", Some(("qoder", "a", None))),
            ("/h/.iflow/projects/-w/a.jsonl", Some(("iflow", "a", None))),
            (
                "/h/.codebuddy/projects/-w/a.jsonl",
                Some(("codebuddy", "a", None)),
            ),
            (
                "/h/.qoder/projects/-w/s/subagents/agent-b.jsonl",
                Some(("qoder", "b", Some("s"))),
            ),
            ("/h/.qoder/projects/-w/s/tool-results/x.jsonl", None),
            ("/h/.qoder/logs/x.jsonl", None),
            ("/x/a.jsonl", Some(("claude-code", "a", None))),
        ] {
            let own = |text: &str| text.to_owned();
            let expected = expected.map(|(agent, id, parent)| (agent, own(id), parent.map(own)));
            assert_eq!(found(path), expected, "{path}");
        }
        assert!(all().iter().any(|agent| agent.agent() == "qoder"));
        let elsewhere = Candidate::new(Path::new("/copy/.qoder/projects/-w/a.jsonl"), b"");
        assert_eq!(recognise(&elsewhere).map(Dialect::agent), Some("qoder"));
    }
}
