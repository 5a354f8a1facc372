//! Text keeps to its place in Markdown: a reader of Markdown finds the headings and rules that the
//! export wrote and no others, no HTML, and no link or image.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use scrollback::{
    Block, Expect, MemoryStore, Message, NewRecord, PropertiesChange, RawJson, Role, SessionKey,
    Store,
};

use crate::cases::cases;

/// Pieces of hostile Markdown.
const PIECES: [&str; 71] = [
    "<img src=http://t/x>",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "<b",
    "<a href=x>",
    "<?",
    "<![CDATA[",
    "![a](http://t/x)",
    "[a](javascript:x)",
    "[a]: http://t/x",
    "[a]",
    "[^1]",
    "[^1]: x",
    "[[w]]",
    "<http://t>",
    "# h",
    "## User",
    "#",
    "---",
    "===",
    "- - -",
    "***",
    "___",
    "-",
    "=",
    "```",
    "````",
    "~~~",
    "~~~~",
    "`",
    "``",
    "|",
    "\\",
    "\\\\",
    "\n",
    "\n\n",
    "\r",
    "\r\n",
    " ",
    "    ",
    "\t",
    ">",
    "> ",
    "- ",
    "* ",
    "+ ",
    "1. ",
    "10) ",
    "* * *",
    ":---|---:",
    "---|---",
    "|---|",
    "a",
    "word ",
    "&lt;",
    "&#96;",
    "*",
    "**",
    "!",
    "+++",
    "\u{a0}",
    ": ",
    "$",
    "$$",
    "^",
    "{",
    "}",
    "~",
    "`$<b>`",
];

/// What different readers of Markdown know.
fn readers() -> [Options; 3] {
    let mut github = Options::empty();
    github.insert(Options::ENABLE_TABLES);
    github.insert(Options::ENABLE_STRIKETHROUGH);
    github.insert(Options::ENABLE_TASKLISTS);
    github.insert(Options::ENABLE_FOOTNOTES);
    github.insert(Options::ENABLE_GFM);
    let mut more = Options::all();
    // Blocks of this kind only stand at the start of a file, where the title is.
    more.remove(Options::ENABLE_YAML_STYLE_METADATA_BLOCKS);
    more.remove(Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS);
    [Options::empty(), github, more]
}

/// What a session's transcript is, with this text in every place of it.
fn transcript(text: &str) -> (String, usize) {
    let store = MemoryStore::default();
    let id = if text.is_empty() { "x" } else { text };
    let id: String = id.chars().take(200).collect();
    let key = SessionKey::native(id).unwrap();
    let own = |text: &str| Some(text.to_owned());
    let image = Block::Image {
        media_type: own(text),
        data: None,
        url: own(text),
    };
    let json = || RawJson::from_value(&serde_json::json!({ "type": text, "x": text })).unwrap();
    let blocks = vec![
        Block::Text { text: text.into() },
        image.clone(),
        Block::Thinking {
            text: text.into(),
            signature: None,
        },
        Block::ToolUse {
            id: own(text),
            name: text.into(),
            input: Some(json()),
        },
        Block::ToolResult {
            id: own(text),
            name: own(text),
            output: text.into(),
            is_error: false,
            images: vec![image],
        },
        Block::Other { json: json() },
        Block::Text { text: text.into() },
    ];
    let records = [Role::User, Role::Assistant].map(|role| {
        let mut message = Message::new(role);
        message.content.clone_from(&blocks);
        message.model = own(text);
        NewRecord::message(message)
    });
    store.append(&key, Expect::Any, None, &records).unwrap();
    let mut change = PropertiesChange::default();
    change.title = Some(own(text));

    store.update_properties(&key, &change).unwrap();
    let mut out = Vec::new();
    store.export_markdown(&key, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), records.len())
}

/// What is wrong with a transcript, if anything is.
fn wrong_with(markdown: &str, messages: usize) -> Option<String> {
    for options in readers() {
        let (mut headings, mut rules, mut depth) = (0, 0, 0_usize);
        for event in Parser::new_ext(markdown, options) {
            match event {
                Event::Html(text) | Event::InlineHtml(text) => {
                    return Some(format!("HTML {text:?}"));
                }
                Event::FootnoteReference(text) => return Some(format!("footnote {text:?}")),
                Event::Start(
                    tag @ (Tag::Link { .. }
                    | Tag::Image { .. }
                    | Tag::HtmlBlock
                    | Tag::FootnoteDefinition(_)
                    | Tag::MetadataBlock(_)),
                ) => return Some(format!("{tag:?}")),
                Event::Start(Tag::Heading { level, .. }) => {
                    headings += 1;
                    if depth > 0 {
                        return Some(format!("a heading {level} within something"));
                    }
                    depth += 1;
                }
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                Event::Rule if depth == 0 => rules += 1,
                _ => {}
            }
        }
        if (headings, rules) != (1 + messages, 1 + messages) {
            return Some(format!("{headings} headings and {rules} rules"));
        }
    }
    None
}

fn assert_in_place(text: &str) {
    let (markdown, messages) = transcript(text);
    if let Some(wrong) = wrong_with(&markdown, messages) {
        panic!("{wrong}, of {text:?}, in:\n{markdown}");
    }
}

#[test]
fn every_hostile_piece_and_pair_keeps_to_its_place() {
    let mut runs = 0;
    for first in PIECES {
        assert_in_place(first);
        for second in PIECES {
            for text in [format!("{first}{second}"), format!("x\n{first}\n{second}")] {
                assert_in_place(&text);
                runs += 1;
            }
        }
    }
    assert!(runs == 2 * 71 * 71, "{runs}");
}

#[test]
fn neither_a_table_nor_a_formula_can_cut_code_open() {
    for text in [
        "0$<a href=x>`",
        "a $x\n`b$<c>`",
        "a $$x\n\n`b$$<c>`",
        "a|b\n---|---\n`x|<b>`|y\n",
        "a|b\n-|-\n`<b>|</b>`\n",
        "|a|b|\n|---|---|\n|`|<b>|`|\n",
        "|a|b|\n|---|---|\n|``\\|<b>|``|\n",
    ] {
        assert_in_place(text);
    }
}

/// What some readers take for attributes of a heading ends it before the code that it has does.
#[test]
fn braces_at_the_end_of_a_title_cannot_cut_code_open() {
    for text in ["``[^1]{``}", "`<b>{`}", "`[a](b){`} #", "`[^1]{`} ##  "] {
        assert_in_place(text);
    }
    // Seen by what checks it.
    let (markdown, messages) = transcript("``[^1]{``}");
    let cut = markdown.replacen("&#125;", "}", 1);
    assert!(wrong_with(&cut, messages).is_some(), "{markdown}");
}

#[test]
fn what_would_break_out_is_seen() {
    let (markdown, messages) = transcript("x");
    assert_eq!(wrong_with(&markdown, messages), None);
    for piece in [
        "\n<b>\n",
        "\n\n# h\n\n",
        "\n\n---\n\n",
        " ![a](b) ",
        "\n````\n",
    ] {
        let broken = markdown.replacen("x\n\n**Image", &format!("x{piece}\n\n**Image"), 1);
        assert_ne!(broken, markdown);
        assert!(wrong_with(&broken, messages).is_some(), "{piece:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(256)))]

    #[test]
    fn any_text_keeps_to_its_place(
        pieces in prop::collection::vec(prop_oneof![
            8 => prop::sample::select(&PIECES[..]).prop_map(ToString::to_string),
            1 => "\\PC{0,8}",
        ], 0..24),
    ) {
        let text = pieces.concat();
        let (markdown, messages) = transcript(&text);
        let wrong = wrong_with(&markdown, messages);
        prop_assert!(wrong.is_none(), "{:?}, of {:?}, in:\n{}", wrong, text, markdown);
    }
}
