//! Pages in a real browser, where there is one: nothing of a hostile session runs, the page's own script does, and with
//! scripts off all of it is there to read.

use std::path::Path;
use std::process::Command;

use crate::harness::Home;

/// What a hostile session says, whoever speaks.
const HOSTILE: [&str; 8] = [
    "<script>document.documentElement.id='pwned'</script>",
    "<img src=x onerror=\"document.documentElement.id='pwned'\">",
    "</script><script>document.documentElement.id='pwned'</script>",
    "</title></style><svg onload=\"document.documentElement.id='pwned'\">",
    "\"><body onload=\"document.documentElement.id='pwned'\">",
    "<iframe srcdoc=\"<script>parent.document.documentElement.id='pwned'</script>\"></iframe>",
    "<details open ontoggle=\"document.documentElement.id='pwned'\">",
    "[x](javascript:document.documentElement.id='pwned')",
];

/// The document of a page as a browser has it after it was loaded; `None` if there is no browser.
fn opened(page: &Path, arguments: &[&str]) -> Option<String> {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--dump-dom",
        ])
        .args(["--virtual-time-budget=3000"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .output()
        .ok()?;
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    // One that does not start here is as good as none.
    dom.contains("<main>").then_some(dom)
}

#[test]
fn nothing_of_a_hostile_session_runs_and_the_page_can_be_searched() {
    let home = Home::new();
    let mut lines = String::new();
    for text in HOSTILE {
        for role in ["user", "assistant"] {
            let call = serde_json::json!({"type": "tool_use", "id": text, "name": text, "input": {"command": text}});
            let content = serde_json::json!([{"type": "text", "text": text}, call]);
            let line = serde_json::json!({"role": role, "content": content});
            lines.extend([line.to_string(), "\n".to_owned()]);
        }
    }
    home.write("in/evil.jsonl", lines);
    home.ok(&["import", "in"]);
    home.ok(&["export", "--all", "--to", "out", "--format", "html"]);
    let page = home.path().join("out/jsonl/evil.html");
    let Some(dom) = opened(&page, &[]) else {
        return;
    };
    assert!(!dom.contains("id=\"pwned\""), "{dom}");
    assert_eq!(dom.matches("<script").count(), 1, "{dom}");
    // The page's own script has run: its hash is that of the policy.
    assert!(dom.contains("<form><input"), "{dom}");
    // As where scripts are off: the browser's own switch would keep it from telling what it shows.
    let text = std::fs::read_to_string(&page).unwrap();
    let (before, _) = text.split_once("<script>").unwrap();
    let off = home.write("off.html", format!("{before}</body></html>"));
    let off = opened(&off, &[]).unwrap();
    assert!(off.contains("<form hidden"), "{off}");
    assert_eq!(off.matches("<article").count(), 16);
    let index = opened(&home.path().join("out/index.html"), &[]).unwrap();
    assert!(index.contains("href=\"./jsonl/evil.html\""), "{index}");
}
