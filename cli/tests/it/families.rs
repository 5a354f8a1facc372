//! Sub-agents in `list`: counted in the row of the session that started them, listed under it when asked.

use serde_json::Value;

use crate::harness::Home;

const LEAD: &str = "0a000000-0000-4000-8000-00000000000a";

fn said(session: &str, agent: &str, minute: u32, text: &str) -> String {
    let side = match agent {
        "" => String::new(),
        agent => format!(r#","isSidechain":true,"agentId":"{agent}""#),
    };
    format!(
        r#"{{"sessionId":"{session}","type":"user","uuid":"{text}","cwd":"/w/shop","timestamp":"2026-05-20T10:{minute:02}:00.000Z","message":{{"role":"user","content":"{text}"}}{side}}}"#
    ) + "\n"
}

fn imported() -> Home {
    let home = Home::new();
    let folder = "in/.claude/projects/-w";
    let lead = said(LEAD, "", 1, "Lead") + &said(LEAD, "", 3, "Between");
    home.write(&format!("{folder}/{LEAD}.jsonl"), lead);
    for (agent, minute) in [("ab12", 2), ("cd34", 4)] {
        let name = format!("{folder}/{LEAD}/subagents/agent-{agent}.jsonl");
        home.write(&name, said(LEAD, agent, minute, &format!("Part {agent}")));
    }
    let name = format!("{folder}/ab12/subagents/agent-ef56.jsonl");
    home.write(&name, said("ab12", "ef56", 5, "Part of a part"));
    // Its parent is not there.
    let name = format!("{folder}/gone/subagents/agent-7890.jsonl");
    home.write(&name, said("gone", "7890", 6, "Left alone"));
    home.ok(&["import", "in"]);
    home
}

fn ids(home: &Home, arguments: &[&str]) -> Vec<String> {
    let out = home.ok(&[&["list", "--json"], arguments].concat());
    let row = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    out.lines()
        .map(|line| row(line)["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_list_counts_sub_agents_and_lists_them_where_they_belong() {
    let home = imported();
    assert_eq!(ids(&home, &[]), ["7890", LEAD]);
    assert_eq!(
        ids(&home, &["--all"]),
        ["7890", "ef56", "cd34", LEAD, "ab12"]
    );
    assert_eq!(
        ids(&home, &["--subagents"]),
        ["7890", LEAD, "ab12", "ef56", "cd34"]
    );
    assert_eq!(ids(&home, &["--parent", "0a00"]), ["cd34", "ab12"]);
    let text = home.ok(&["show", "0a00"]);
    let at = |title: &str| {
        text.find(title)
            .unwrap_or_else(|| panic!("{title} in {text}"))
    };
    assert!(
        at("  Lead\n") < at("(sub-agent ab12: Part ab12, 1 message)"),
        "{text}"
    );
    assert!(at("(sub-agent ab12") < at("  Between"), "{text}");
    assert!(at("  Between") < at("(sub-agent cd34"), "{text}");
    assert!(!text.contains("ef56"), "{text}");
    let text = home.ok(&["show", "0a00", "--tail", "1"]);
    assert!(
        !text.contains("ab12") && text.contains("(sub-agent cd34"),
        "{text}"
    );
    let text = home.ok(&["list"]);
    assert!(text.contains("Lead +2 sub-agents"), "{text}");
    assert!(!text.contains("Part"), "{text}");
    let text = home.ok(&["list", "--subagents"]);
    let at = |title: &str| {
        text.find(title)
            .unwrap_or_else(|| panic!("{title} in {text}"))
    };
    assert!(at("Lead +2") < at("└ Part ab12 +1 sub-agent"), "{text}");
    assert!(at("└ Part ab12") < at("  └ Part of a part"), "{text}");
}

#[test]
fn rows_name_the_sub_agents_that_were_started_behind_them() {
    let home = imported();
    let named = |arguments: &[&str]| -> Vec<(String, Vec<String>)> {
        let rows = home.ok(&[&["show", "0a00", "--json"], arguments].concat());
        let rows = rows
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|row| row["kind"] == "message");
        let ids = |row: &Value| {
            let ids = row["subagents"].as_array().unwrap().iter();
            ids.map(|id| id.as_str().unwrap().to_owned()).collect()
        };
        rows.map(|row| (row["text"].as_str().unwrap().to_owned(), ids(&row)))
            .collect()
    };
    let one = |text: &str, id: &str| (text.to_owned(), vec![id.to_owned()]);
    let all = [one("Lead", "ab12"), one("Between", "cd34")];
    assert_eq!(named(&[]), all);
    assert_eq!(named(&["-n", "1"]), all[1..]);
}
