//! Pages of HTML: what they show, and that a hostile session leaves nothing in one that runs, loads or leads where it
//! may not. The page is read tag by tag, against lists of what may be there.

use std::collections::BTreeSet;

use scrollback::{
    Block, Expect, ExportFormat, Message, NewRecord, Options, PropertiesChange, RawJson, RedbStore,
    Role, SessionKey, Store as _, export_all, export_session, unwatched,
};

use crate::harness::{Home, files_below};
use crate::import::run_in;

/// Text that would run, load, or break out of where it stands.
const HOSTILE: [&str; 40] = [
    "<script>document.documentElement.id='pwned'</script>",
    "</script><script>document.documentElement.id='pwned'</script>",
    "</style><img src=x onerror=\"document.documentElement.id='pwned'\">",
    "</title></head><body onload=\"document.documentElement.id='pwned'\">",
    "<svg/onload=document.documentElement.id='pwned'>",
    "<svg><script href=\"data:text/javascript,document.documentElement.id='pwned'\"/></svg>",
    "<iframe srcdoc=\"<script>parent.document.documentElement.id='pwned'</script>\"></iframe>",
    "<iframe src=\"javascript:parent.document.documentElement.id='pwned'\">",
    "<object data=\"https://evil.example/x\"></object>",
    "<embed src=//evil.example/x>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content=\"0;url=https://evil.example/\">",
    "<base href=https://evil.example/>",
    "<form action=https://evil.example/><button>x</button></form>",
    "<style>*{background:url(https://evil.example/x)}</style>",
    "<div style=\"background:url(https://evil.example/x)\">x</div>",
    "<a href=\"javascript:document.documentElement.id='pwned'\">x</a>",
    "<details open ontoggle=document.documentElement.id='pwned'>",
    "<input autofocus onfocus=document.documentElement.id='pwned'>",
    "<template><script>1</script></template>",
    "<!-- --><script>document.documentElement.id='pwned'</script><!--",
    "<![CDATA[<script>1</script>]]>",
    "<math><mtext><table><mglyph><style><img src=x onerror=1>",
    "\"><script>document.documentElement.id='pwned'</script>",
    "'><img src=x onerror=1>",
    "\" onmouseover=\"document.documentElement.id='pwned'\" x=\"",
    "` onmouseover=alert(1) `",
    "[x](javascript:document.documentElement.id='pwned')",
    "[x](JAVASCRIPT:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](\u{1}javascript:alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4x)",
    "[x](vbscript:x) [y](file:///etc/passwd) [z](//evil.example/x) [w](blob:x)",
    "[x]( https://a.example/\"onclick=alert(1) )",
    "![x](https://evil.example/p.png) ![y](javascript:alert(1))",
    "<javascript:alert(1)> <data:text/html,x>",
    "[r]: javascript:alert(1) \"t\"\n\n[r]",
    "```html\"><script>1</script>\n</code></pre><script>1</script>\n```",
    "| <script>1</script> |\n|---|\n| <img src=x onerror=1> |",
];

/// Tags that pages have, each with the attributes that it may have.
const TAGS: [(&str, &[&str]); 53] = [
    ("rect", &["x", "y", "width", "height"]),
    ("!doctype", &["html"]),
    ("html", &["lang"]),
    ("head", &[]),
    ("meta", &["charset", "http-equiv", "content", "name"]),
    ("title", &[]),
    ("style", &[]),
    ("script", &[]),
    ("body", &[]),
    ("main", &[]),
    ("form", &["hidden"]),
    (
        "input",
        &[
            "type",
            "name",
            "placeholder",
            "aria-label",
            "checked",
            "disabled",
        ],
    ),
    ("label", &[]),
    ("output", &[]),
    ("article", &["id", "class"]),
    ("header", &[]),
    ("a", &["href"]),
    ("b", &[]),
    ("span", &["class"]),
    ("time", &["datetime"]),
    ("div", &["class", "dir"]),
    ("p", &["class"]),
    ("pre", &[]),
    ("code", &["class"]),
    ("details", &["class", "open"]),
    ("summary", &[]),
    ("ins", &[]),
    ("del", &[]),
    ("img", &["alt", "src"]),
    ("dl", &[]),
    ("dt", &[]),
    ("dd", &[]),
    ("h1", &[]),
    ("h2", &[]),
    ("h3", &[]),
    ("h4", &[]),
    ("h5", &[]),
    ("h6", &[]),
    ("ul", &[]),
    ("ol", &["start"]),
    ("li", &[]),
    ("em", &[]),
    ("strong", &[]),
    ("blockquote", &[]),
    ("hr", &[]),
    ("br", &[]),
    ("table", &[]),
    ("thead", &[]),
    ("tbody", &[]),
    ("tr", &[]),
    ("th", &[]),
    ("td", &["class"]),
    (
        "svg",
        &["viewbox", "preserveaspectratio", "role", "aria-label"],
    ),
];

/// Complaints about a page: each tag and attribute that is not on the lists, each address that may not be there.
fn complaints(page: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut rest = page;
    let (mut scripts, mut styles) = (0, 0);
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, behind) = tag_of(after);
        rest = behind;
        let name = tag.name.trim_start_matches('/').to_ascii_lowercase();
        let Some((_, allowed)) = TAGS.iter().find(|(known, _)| *known == name) else {
            complaints.push(format!("<{}>", tag.name));
            continue;
        };
        for (attribute, value) in &tag.attributes {
            let attribute = attribute.to_ascii_lowercase();
            if !allowed.contains(&attribute.as_str()) {
                complaints.push(format!("<{name} {attribute}>"));
            }
            let is_fine = match attribute.as_str() {
                "href" => ["#", "./", "https://", "http://", "mailto:"]
                    .iter()
                    .any(|start| value.to_lowercase().starts_with(start)),
                "src" => {
                    value.starts_with("data:image/png;base64,") && !value.contains([' ', '"', '<'])
                }
                "http-equiv" => value == "Content-Security-Policy",
                _ => true,
            };
            if !is_fine {
                complaints.push(format!("<{name} {attribute}={value}>"));
            }
        }
        // What stands in these is no HTML.
        if name == "script" || name == "style" {
            if tag.name.starts_with('/') {
                continue;
            }
            scripts += usize::from(name == "script");
            styles += usize::from(name == "style");
            let end = format!("</{name}>");
            let (_, behind) = rest.split_once(&end).expect("an end");
            rest = behind;
        }
    }
    if (scripts, styles) != (1, 1) {
        complaints.push(format!("{scripts} scripts, {styles} styles"));
    }
    complaints
}

/// A tag as a browser reads it.
#[derive(Debug, Default)]
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

fn tag_of(text: &str) -> (Tag, &str) {
    let mut tag = Tag::default();
    let end = text
        .find(|c: char| c.is_whitespace() || c == '>')
        .unwrap_or(text.len());
    text[..end].trim_end_matches('/').clone_into(&mut tag.name);
    let mut rest = &text[end..];
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            return (tag, rest);
        }
        if let Some(behind) = rest.strip_prefix('>') {
            return (tag, behind);
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || "=>/".contains(c))
            .unwrap_or(rest.len());
        let name = rest[..end.max(1)].to_owned();
        rest = &rest[end.max(1)..];
        let mut value = String::new();
        if let Some(behind) = rest.strip_prefix('=') {
            let quote = behind.chars().next().filter(|c| "\"'".contains(*c));
            let (found, behind) = match quote {
                Some(quote) => behind[1..].split_once(quote).unwrap_or((&behind[1..], "")),
                None => behind.split_at(
                    behind
                        .find(|c: char| c.is_whitespace() || c == '>')
                        .unwrap_or(behind.len()),
                ),
            };
            value = found
                .replace("&amp;", "&")
                .replace("&quot;", "\"")
                .replace("&lt;", "<");
            rest = behind;
        }
        tag.attributes.push((name, value));
    }
}

/// A message that says a text in every way there is.
fn said(role: Role, text: &str) -> NewRecord {
    let own = || Some(text.to_owned());
    let json = |value: serde_json::Value| RawJson::from_value(&value).ok();
    let call = |value| Block::ToolUse {
        id: own(),
        name: text.to_owned(),
        input: json(value),
    };
    let image = |media_type: &str, data: &str| Block::Image {
        media_type: Some(media_type.to_owned()),
        data: Some(data.to_owned()),
        url: own(),
    };
    let mut message = Message::new(role);
    message.model = own();
    message.agent_id = own();
    message.content = vec![
        Block::Text { text: text.into() },
        Block::Thinking {
            text: text.into(),
            signature: own(),
        },
        call(serde_json::json!({ "command": text })),
        call(serde_json::json!({ "command": format!("{text}\n{text}") })),
        call(serde_json::json!({ "file_path": text, "old_string": text, "new_string": "x" })),
        call(serde_json::json!({ "path": text, "content": text })),
        call(serde_json::json!({ "prompt": text, "description": text })),
        call(serde_json::json!({ "todos": [{ "content": text, "status": text }] })),
        call(serde_json::json!({ "url": text })),
        call(serde_json::json!({ text: text, "long": text.repeat(20) })),
        Block::ToolResult {
            id: own(),
            name: own(),
            output: format!("{text}\n{text}\n{text}\n{text}\n{text}"),
            is_error: true,
            images: vec![
                image("image/png", text),
                image(text, "AAAA"),
                image("image/svg+xml", "AAAA"),
            ],
        },
        image("image/png", "iVBORw0KGgo="),
        Block::Other {
            json: json(serde_json::json!({ "type": text, text: text })).unwrap(),
        },
    ];
    NewRecord::message(message)
}

fn store(home: &Home) -> RedbStore {
    RedbStore::open(home.store_path(), Options::default()).unwrap()
}

fn hostile_store(home: &Home) -> (RedbStore, Vec<SessionKey>) {
    let store = store(home);
    let mut keys = Vec::new();
    for (number, text) in HOSTILE.iter().enumerate() {
        let key = SessionKey::native(format!("{number}-{text}")).unwrap();
        let roles = [Role::User, Role::Assistant, Role::System, Role::Tool];
        let records = roles.map(|role| said(role, text));
        store.append(&key, Expect::Any, None, &records).unwrap();
        let change = PropertiesChange::default()
            .with_title(*text)
            .with_project(*text)
            .with_parent(*text);
        store.update_properties(&key, &change).unwrap();
        keys.push(key);
    }
    (store, keys)
}

#[test]
fn a_hostile_session_leaves_nothing_that_runs_loads_or_leads_astray() {
    let home = Home::new();
    let (store, keys) = hostile_store(&home);
    for key in &keys {
        let mut page = Vec::new();
        export_session(&store, key, ExportFormat::Html, &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert_eq!(complaints(&page), [""; 0], "{key}");
    }
    let out = home.path().join("out");
    let report = export_all(&store, None, ExportFormat::Html, &out, &mut unwatched).unwrap();
    assert_eq!((report.sessions, report.files), (40, 41));
    let index = std::fs::read_to_string(out.join("index.html")).unwrap();
    assert_eq!(complaints(&index), [""; 0]);
    // Every link of the index leads to a page.
    let links: BTreeSet<&str> = index
        .split("href=\"./")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert_eq!(links.len(), 40);
    for link in links {
        let mut path = Vec::new();
        let mut bytes = link.bytes();
        while let Some(byte) = bytes.next() {
            let hex = |byte: u8| char::from(byte).to_digit(16).unwrap();
            let value = if byte == b'%' {
                u8::try_from(hex(bytes.next().unwrap()) * 16 + hex(bytes.next().unwrap())).unwrap()
            } else {
                byte
            };
            path.push(value);
        }
        assert!(
            out.join(String::from_utf8(path).unwrap()).is_file(),
            "{link}"
        );
    }
}

#[test]
fn what_may_not_be_in_a_page_is_found() {
    let page = |inner: &str| format!("<style></style>{inner}<script></script>");
    assert_eq!(complaints(&page("<p>x</p><a href=\"#1\">x</a>")), [""; 0]);
    for bad in [
        "<p onclick=x>",
        "<iframe>",
        "<a href=\"javascript:x\">",
        "<a href='//x'>",
        "<img src=x>",
        "<script></script>",
        "<div style=x>",
        "<meta http-equiv=refresh>",
        "<P ONCLICK = x>",
    ] {
        assert!(!complaints(&page(bad)).is_empty(), "{bad}");
    }
}

#[test]
fn a_page_shows_who_said_what_and_when() {
    let home = Home::new();
    let store = store(&home);
    let key = SessionKey::native("talk").unwrap();
    let mut asked = Message::text(Role::User, "Which *port*?");
    asked.time = chrono::DateTime::from_timestamp(1_780_000_000, 0);
    let mut answered = Message::text(Role::Assistant, "It is **8080**.");
    answered.content.push(Block::ToolUse {
        id: None,
        name: "Edit".into(),
        input: RawJson::parse(r#"{"file_path":"a.rs","old_string":"x","new_string":"y"}"#).ok(),
    });
    answered.content.push(Block::ToolResult {
        id: None,
        name: None,
        output: format!("\u{1b}[32mfirst\u{1b}[0m\n{}", "line\n".repeat(9)),
        is_error: false,
        images: Vec::new(),
    });
    let mut injected = Message::text(Role::User, "<system-reminder>be nice</system-reminder>");
    injected.injected = true;
    let records = [asked, answered, injected].map(NewRecord::message);
    store.append(&key, Expect::Any, None, &records).unwrap();
    let mut page = Vec::new();
    export_session(&store, &key, ExportFormat::Html, &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    for part in [
        "<h1>Which *port*?</h1>",
        "<article id=\"0\" class=\"user\"><header><a href=\"#0\">#0</a><b>user</b>",
        "<time datetime=\"2026-05-28T20:26:40Z\">2026-05-28 20:26:40 UTC</time>",
        // What a person typed stays as it was typed; an answer is laid out.
        "<div class=\"t\" dir=\"auto\">Which *port*?</div>",
        "<strong>8080</strong>",
        "<summary>edit a.rs (+1 -1)</summary><pre><del>- x</del><ins>+ y</ins></pre>",
        "<summary>first (+9 lines)</summary>",
        "default-src 'none'; style-src 'sha256-",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains("<system-reminder>"));
}

#[test]
fn a_page_notes_what_happened_between_messages_and_what_all_took() {
    let home = Home::new();
    let line = |id: &str, minute: u32, kind: &str, more: &str| {
        format!(
            "{{\"type\":\"{kind}\",\"uuid\":\"{id}\",\"sessionId\":\"lead\",\"timestamp\":\"2026-05-20T10:{minute:02}:00Z\",{more}}}\n"
        )
    };
    let said = |id: &str, minute: u32, more: &str| {
        let text = format!("{more}\"message\":{{\"role\":\"user\",\"content\":\"said {id}\"}}");
        line(id, minute, "user", &text)
    };
    let answer = "\"message\":{\"id\":\"m\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[{\"type\":\"text\",\"text\":\"answered\"}],\
                  \"usage\":{\"input_tokens\":1200,\"output_tokens\":34}}";
    let compact = "\"subtype\":\"compact_boundary\",\"content\":\"Conversation compacted\",\"compactMetadata\":{\"trigger\":\"manual\"}";
    let lead = [
        said("one", 1, ""),
        line("a", 3, "assistant", answer),
        line("c", 4, "system", compact),
        said("two", 5, ""),
    ];
    let folder = "in/.claude/projects/-w";
    home.write(&format!("{folder}/lead.jsonl"), lead.concat());
    let child = said("part", 2, "\"isSidechain\":true,\"agentId\":\"ab12\",");
    home.write(&format!("{folder}/lead/subagents/agent-ab12.jsonl"), child);
    let store = store(&home);
    run_in(&home, &store);
    let out = home.path().join("out");
    export_all(&store, None, ExportFormat::Html, &out, &mut unwatched).unwrap();
    let page = std::fs::read_to_string(out.join("claude-code/lead.html")).unwrap();
    let mut at = 0;
    for part in [
        "said one",
        "<p class=\"n\">Sub-agent ab12: said part, 1 message</p>",
        "answered",
        "<p class=\"n\">Compacted: the model goes on with a summary of what was said before</p>",
        "said two",
        "<p class=\"n\">Tokens in all: 1,200 in, 34 out</p>",
    ] {
        let found = page[at..].find(part);
        at += found.unwrap_or_else(|| panic!("{part} is not behind the others in {page}"));
    }
    let index = std::fs::read_to_string(out.join("index.html")).unwrap();
    assert!(
        index.contains("<title>2026-05-20: 1,234 tokens</title>"),
        "{index}"
    );
    assert!(index.contains("<td class=\"r\">1,234</td>"), "{index}");
}

#[test]
fn a_page_is_for_its_owner_and_each_session_has_one() {
    let home = Home::new();
    let store = store(&home);
    for id in ["a", "A", "index"] {
        let key = SessionKey::native(id).unwrap();
        let record = NewRecord::message(Message::text(Role::User, "hi"));
        store.append(&key, Expect::Any, None, &[record]).unwrap();
    }
    let out = home.path().join("out");
    export_all(&store, None, ExportFormat::Html, &out, &mut unwatched).unwrap();
    let files = files_below(&out);
    assert_eq!(files.len(), 4, "{files:?}");
    #[cfg(unix)]
    for file in &files {
        let found = std::fs::metadata(file).unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&found) & 0o777, 0o600);
    }
}
