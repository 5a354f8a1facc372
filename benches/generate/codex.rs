//! Lines as Codex writes them.

use std::path::PathBuf;

use super::Session;

/// Writes a session, and says where it belongs.
pub(super) fn write(session: &mut Session<'_>) -> PathBuf {
    let path = session.dated(&format!(
        ".codex/sessions/%Y/%m/%d/rollout-%Y-%m-%dT%H-%M-%S-{}.jsonl",
        session.id
    ));
    meta(session);
    while !session.is_full() {
        prompt(session);
        for _ in 0..session.random.between(2, 10) {
            if session.is_full() {
                break;
            }
            call(session);
        }
        answer(session);
    }
    path
}

/// One line: the envelope around what `payload` writes.
fn line(session: &mut Session<'_>, kind: &str, payload: impl FnOnce(&mut Session<'_>)) {
    session.raw("{\"timestamp\":");
    session.stamp();
    session.raw(",\"type\":\"");
    session.raw(kind);
    session.raw("\",\"payload\":");
    payload(session);
    session.raw("}");
    session.end();
}

fn meta(session: &mut Session<'_>) {
    line(session, "session_meta", |session| {
        session.raw("{\"id\":\"");
        session.text.push_str(&session.id);
        session.raw("\",\"timestamp\":");
        session.stamp();
        session.raw(",\"cwd\":");
        super::text::quote(&session.project.folder, &mut session.text);
        session.raw(
            ",\"originator\":\"codex_cli_rs\",\"cli_version\":\"0.133.0\",\"source\":\"cli\",\
             \"model_provider\":\"example\",\"base_instructions\":{\"text\":\"You are a coding \
             agent. Be brief, run the tests, and say what you changed.\"},\"git\":{\"branch\":\
             \"main\"}}",
        );
    });
}

fn prompt(session: &mut Session<'_>) {
    let bytes = session.random.between(20, 400);
    let text = session.prose(bytes);
    line(session, "turn_context", |session| {
        session.raw("{\"cwd\":");
        super::text::quote(&session.project.folder, &mut session.text);
        session.raw(",\"approval_policy\":\"never\",\"model\":\"gpt-example-5\",\"effort\":\"high\",\"summary\":\"auto\"}");
    });
    line(session, "response_item", |session| {
        session.raw("{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":");
        session.quote(&text);
        session.raw("}]}");
    });
    line(session, "event_msg", |session| {
        session.raw("{\"type\":\"user_message\",\"message\":");
        session.quote(&text);
        session.raw(",\"images\":[],\"local_images\":[],\"text_elements\":[]}");
    });
}

fn call(session: &mut Session<'_>) {
    let mut id = String::from("call_");
    session.random.noise(24, &mut id);
    if session.random.percent(60) {
        line(session, "response_item", |session| {
            session.raw("{\"type\":\"reasoning\",\"summary\":[],\"content\":null,\"encrypted_content\":\"gAAAA");
            let characters = session.random.between(60, 300);
            session.noise(characters);
            session.raw("\"}");
        });
    }
    let (path, output) = session.output();
    let command = if path.is_empty() {
        "cargo test"
    } else {
        "sed -n 1,200p"
    };
    line(session, "response_item", |session| {
        session.raw("{\"type\":\"function_call\",\"name\":\"exec_command\",\"arguments\":");
        session.quote(&format!(
            "{{\"cmd\":\"{command} {path}\",\"workdir\":\"{}\"}}",
            session.project.folder
        ));
        session.raw(",\"call_id\":\"");
        session.raw(&id);
        session.raw("\"}");
    });
    let repeated = session.random.percent(25);
    if repeated {
        line(session, "event_msg", |session| {
            session.raw("{\"type\":\"exec_command_end\",\"call_id\":\"");
            session.raw(&id);
            session.raw("\",\"exit_code\":0,\"aggregated_output\":");
            session.quote(&output);
            session.raw("}");
        });
    }
    line(session, "response_item", |session| {
        session.raw("{\"type\":\"function_call_output\",\"call_id\":\"");
        session.raw(&id);
        session.raw("\",\"output\":");
        session.quote(&format!(
            "Wall time: 0.1 seconds\nProcess exited with code 0\nOutput:\n{output}"
        ));
        session.raw("}");
    });
    tokens(session);
}

fn answer(session: &mut Session<'_>) {
    let bytes = session.random.between(80, 1_500);
    let text = session.prose(bytes);
    line(session, "event_msg", |session| {
        session.raw("{\"type\":\"agent_message\",\"message\":");
        session.quote(&text);
        session.raw("}");
    });
    line(session, "response_item", |session| {
        session.raw("{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":");
        session.quote(&text);
        session.raw("}]}");
    });
    tokens(session);
}

fn tokens(session: &mut Session<'_>) {
    let (input, output) = (
        session.random.between(2_000, 200_000),
        session.random.below(900),
    );
    let usage = format!(
        "{{\"input_tokens\":{input},\"cached_input_tokens\":{},\"output_tokens\":{output},\
         \"reasoning_output_tokens\":0,\"total_tokens\":{}}}",
        input * 3 / 4,
        input + output
    );
    line(session, "event_msg", |session| {
        session.raw(&format!(
            "{{\"type\":\"token_count\",\"info\":{{\"total_token_usage\":{usage},\
             \"last_token_usage\":{usage},\"model_context_window\":258400}},\"rate_limits\":null}}"
        ));
    });
}
