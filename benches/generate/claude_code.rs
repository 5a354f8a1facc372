//! Lines as Claude Code writes them.

use std::path::PathBuf;

use super::Session;

/// Writes a session, and says where it belongs.
pub(super) fn write(session: &mut Session<'_>) -> PathBuf {
    let folder: String = session
        .project
        .folder
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '-'
            }
        })
        .collect();
    let mut chain = Chain { parent: None };
    snapshot(session);
    while !session.is_full() {
        prompt(session, &mut chain);
        for _ in 0..session.random.between(2, 12) {
            if session.is_full() {
                break;
            }
            turn(session, &mut chain);
        }
        answer(session, &mut chain);
    }
    if session.random.percent(60) {
        let title = session.prose(30);
        session.raw("{\"type\":\"ai-title\",\"aiTitle\":");
        session.quote(title.trim_end());
        id_and_end(session);
    }
    PathBuf::from(format!(".claude/projects/{folder}/{}.jsonl", session.id))
}

/// The chain of records: each names the one before.
struct Chain {
    parent: Option<String>,
}

impl Chain {
    /// Starts a record with the fields that every record of the chain has.
    fn begin(&mut self, session: &mut Session<'_>) {
        session.raw("{\"parentUuid\":");
        match &self.parent {
            Some(parent) => session.quote(parent),
            None => session.raw("null"),
        }
        session.raw(",\"isSidechain\":false,\"userType\":\"external\",\"cwd\":");
        let folder = &session.project.folder;
        super::text::quote(folder, &mut session.text);
        session.raw(",\"sessionId\":\"");
        session.text.push_str(&session.id);
        session.raw("\",\"version\":\"2.1.63\",\"gitBranch\":\"main\"");
    }

    /// Ends it with its id and time.
    fn end(&mut self, session: &mut Session<'_>) {
        let mut id = String::with_capacity(36);
        session.random.uuid(&mut id);
        session.raw(",\"uuid\":\"");
        session.raw(&id);
        session.raw("\",\"timestamp\":");
        session.stamp();
        session.raw("}");
        session.end();
        self.parent = Some(id);
    }
}

fn prompt(session: &mut Session<'_>, chain: &mut Chain) {
    let bytes = session.random.between(20, 400);
    let text = session.prose(bytes);
    chain.begin(session);
    session.raw(",\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":");
    session.quote(&text);
    session.raw("},\"permissionMode\":\"default\"");
    chain.end(session);
}

fn turn(session: &mut Session<'_>, chain: &mut Chain) {
    if session.random.percent(60) {
        let bytes = session.random.between(40, 900);
        let thought = session.prose(bytes);
        assistant(session, chain, |session| {
            session.raw("{\"type\":\"thinking\",\"thinking\":");
            session.quote(&thought);
            session.raw(",\"signature\":\"");
            let characters = session.random.between(200, 1_000);
            session.noise(characters);
            session.raw("==\"}");
        });
    }
    let (path, output) = session.output();
    let mut call = String::from("toolu_01");
    session.random.noise(22, &mut call);
    assistant(session, chain, |session| {
        session.raw("{\"type\":\"tool_use\",\"id\":\"");
        session.raw(&call);
        if path.is_empty() {
            session.raw("\",\"name\":\"Bash\",\"input\":{\"command\":\"cargo test ");
            let word = session.vocabulary.word(&mut session.random);
            session.text.push_str(word);
            session.raw("\"}}");
        } else {
            session.raw("\",\"name\":\"Read\",\"input\":{\"file_path\":");
            session.quote(&path);
            session.raw("}}");
        }
    });
    if session.random.percent(60) {
        progress(session, chain, &call);
    }
    result(session, chain, &call, &path, &output);
}

fn result(session: &mut Session<'_>, chain: &mut Chain, call: &str, path: &str, output: &str) {
    chain.begin(session);
    session
        .raw(",\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":[{\"tool_use_id\":\"");
    session.raw(call);
    session.raw("\",\"type\":\"tool_result\",\"content\":");
    session.quote(output);
    session.raw(",\"is_error\":false}]},\"toolUseResult\":");
    if path.is_empty() {
        session.raw("{\"stdout\":");
        session.quote(output);
        session.raw(",\"stderr\":\"\",\"interrupted\":false,\"isImage\":false}");
    } else {
        session.raw("{\"type\":\"text\",\"file\":{\"filePath\":");
        session.quote(path);
        session.raw(",\"content\":");
        session.quote(output);
        session.raw("}}");
    }
    chain.end(session);
}

fn answer(session: &mut Session<'_>, chain: &mut Chain) {
    let bytes = session.random.between(80, 1_500);
    let text = session.prose(bytes);
    assistant(session, chain, |session| {
        session.raw("{\"type\":\"text\",\"text\":");
        session.quote(&text);
        session.raw("}");
    });
}

fn assistant(session: &mut Session<'_>, chain: &mut Chain, block: impl FnOnce(&mut Session<'_>)) {
    chain.begin(session);
    session.raw(",\"message\":{\"model\":\"claude-example-5\",\"id\":\"msg_01");
    session.noise(22);
    session.raw("\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[");
    block(session);
    session.raw("],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":");
    let (input, read, written, output) = (
        session.random.below(10),
        session.random.between(9_000, 160_000),
        session.random.below(3_000),
        session.random.below(900),
    );
    session.raw(&format!(
        "{input},\"cache_creation_input_tokens\":{written},\"cache_read_input_tokens\":{read},\
         \"cache_creation\":{{\"ephemeral_5m_input_tokens\":0,\"ephemeral_1h_input_tokens\":{written}}},\
         \"output_tokens\":{output},\"service_tier\":\"standard\"}}}},\"requestId\":\"req_011"
    ));
    session.noise(21);
    session.raw("\",\"type\":\"assistant\"");
    chain.end(session);
}

fn progress(session: &mut Session<'_>, chain: &mut Chain, call: &str) {
    let bytes = session.random.between(40, 1_200);
    let output = session
        .project
        .output(session.vocabulary, &mut session.random, bytes);
    chain.begin(session);
    session.raw(",\"type\":\"progress\",\"data\":{\"type\":\"bash_progress\",\"output\":");
    session.quote(&output);
    session.raw(",\"fullOutput\":");
    session.quote(&output);
    session.raw(",\"elapsedTimeSeconds\":3},\"parentToolUseID\":\"");
    session.raw(call);
    session.raw("\"");
    chain.end(session);
}

fn snapshot(session: &mut Session<'_>) {
    session.raw("{\"type\":\"file-history-snapshot\",\"messageId\":\"");
    let mut id = String::with_capacity(36);
    session.random.uuid(&mut id);
    session.raw(&id);
    session.raw("\",\"snapshot\":{\"messageId\":\"");
    session.raw(&id);
    session.raw("\",\"trackedFileBackups\":{},\"timestamp\":");
    session.stamp();
    session.raw("},\"isSnapshotUpdate\":false}");
    session.end();
}

fn id_and_end(session: &mut Session<'_>) {
    session.raw(",\"sessionId\":\"");
    session.text.push_str(&session.id);
    session.raw("\"}");
    session.end();
}
