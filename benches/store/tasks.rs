//! What somebody does who is new here, a step each: ten commands of the tool on a home of sessions.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::generate::{self, Agent, Plan};
use crate::measure::say;
use crate::processes::{Called, table};
use crate::{Outcome, search};

/// The session that is looked for: its id, a word that nobody else says, and the lines of a long output in it.
const ID: &str = "5e55a0aa-0000-4000-8000-000000000010";
const SAID: &str = "flimbertine";
const OUTPUT_LINES: usize = 11_000;

/// Runs of each command.
const ROUNDS: usize = 5;

/// Runs the ten, on a home of 2,800 files and 2 GB, or as many bytes as the environment says.
pub(crate) fn run(scratch: &Path) -> Outcome {
    let tool = search::tool()?;
    let home = scratch.join("home");
    let bytes: u64 = match std::env::var("SCROLLBACK_BENCH_BYTES") {
        Ok(bytes) => bytes.parse()?,
        Err(_) => 2_000_000_000,
    };
    let files = usize::try_from(bytes / 2_000_000_000 * 1_400)?.max(100);
    let mut made = (0, 0);
    for (agent, seed) in [(Agent::ClaudeCode, 11), (Agent::Codex, 12)] {
        let bytes = bytes / 2;
        let plan = Plan {
            agent,
            files,
            bytes,
            seed,
        };
        let part = generate::folder(&home, plan)?;
        made = (made.0 + part.files, made.1 + part.bytes);
    }
    looked_for(&home.join(".claude/projects/-work-shop"))?;
    say(&format!(
        "\n{} files with {} bytes, and one session to look for",
        made.0, made.1
    ))?;
    let store = scratch.join("tasks.redb");
    let began = std::time::Instant::now();
    let imported = Command::new(&tool)
        .env("HOME", &home)
        .args(["import", "--store"])
        .arg(&store)
        .output()?;
    if !imported.status.success() {
        return Err(String::from_utf8_lossy(&imported.stderr).into());
    }
    say(&format!(
        "imported in {:.1} s",
        began.elapsed().as_secs_f64()
    ))?;
    let home = format!("HOME={}", home.display());
    let works = |words: &[&str]| -> Outcome {
        let run = Command::new("env")
            .args([&home, &tool.display().to_string()])
            .args(words)
            .args(["--store", &store.display().to_string()])
            .output()?;
        if run.status.success() && !run.stdout.is_empty() {
            return Ok(());
        }
        Err(format!("{words:?}: {}", String::from_utf8_lossy(&run.stderr)).into())
    };
    let long = format!("{ID}#2");
    let tasks: [(&str, &[&str]); 10] = [
        ("what is here: status", &["status"]),
        ("lately: list -n 20", &["list", "-n", "20"]),
        ("what was said: search WORD", &["search", SAID]),
        ("read it: show ID", &["show", ID]),
        ("one long output: show ID#2", &["show", &long]),
        ("go on with it: resume ID", &["resume", ID]),
        ("tokens by day: usage --by day", &["usage", "--by", "day"]),
        (
            "its sub-agents: list --parent ID",
            &["list", "--parent", ID],
        ),
        ("keep what will be deleted: import", &["import"]),
        (
            "clean up: cleanup --older-than 30d --dry-run",
            &["cleanup", "--older-than", "30d", "--dry-run"],
        ),
    ];
    let mut all = Vec::new();
    for (name, words) in tasks {
        // What is timed is asked for nothing else but its time.
        works(words)?;
        let mut called: Vec<&dyn AsRef<OsStr>> = vec![&"env", &home, &tool];
        called.extend(words.iter().map(|word| word as &dyn AsRef<OsStr>));
        called.extend([&"--store" as &dyn AsRef<OsStr>, &store]);
        all.push(Called::new(name, &called));
    }
    table("ten tasks", ROUNDS, &all).map(drop)
}

/// A session that says a word of its own, with one long output and two sub-agents.
fn looked_for(folder: &Path) -> Outcome {
    let agents = folder.join(ID).join("subagents");
    fs::create_dir_all(&agents)?;
    let mut output = String::new();
    for line in 0..OUTPUT_LINES {
        writeln!(output, "{line} what a build had to say")?;
    }
    let line = |number: usize, role: &str, content: serde_json::Value, more: Option<&str>| {
        let line = json!({
            "type": role, "uuid": format!("u{number}"), "sessionId": ID, "cwd": "/work/shop",
            "timestamp": format!("2026-11-20T10:00:{number:02}Z"),
            "isSidechain": more.is_some(), "agentId": more,
            "message": {"role": role, "content": content},
        });
        format!("{line}\n")
    };
    let call =
        json!([{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "make"}}]);
    let result = json!([{"type": "tool_result", "tool_use_id": "t1", "content": output}]);
    let lines = [
        line(0, "user", json!(format!("where is the {SAID}?")), None),
        line(1, "assistant", call, None),
        line(2, "user", result, None),
        line(
            3,
            "assistant",
            json!([{"type": "text", "text": "In the attic."}]),
            None,
        ),
    ];
    fs::write(folder.join(format!("{ID}.jsonl")), lines.concat())?;
    for agent in ["a1", "a2"] {
        let lines = line(4, "user", json!("look in the attic"), Some(agent));
        fs::write(agents.join(format!("agent-{agent}.jsonl")), lines)?;
    }
    Ok(())
}
