//! Markdown as HTML: raw HTML becomes text, links keep the schemes of a list, images become what they say.

use maud::PreEscaped;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::text::plain;

/// Bytes of a text that are looked at as Markdown; longer ones are shown as they are.
const BYTES_MAX: usize = 512 * 1024;
/// Where links may lead.
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];

/// The text as HTML.
pub(super) fn of(text: &str) -> PreEscaped<String> {
    let text = plain(text);
    if text.len() > BYTES_MAX {
        return maud::html! { div.t { (text) } };
    }
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut tamed = Tamed::default();
    let events = Parser::new_ext(&text, options).flat_map(|event| tamed.take(event));
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    html::push_html(&mut out, events);
    PreEscaped(out)
}

/// Where a link or an image leads that is shown as text.
#[derive(Debug, Default)]
struct Tamed {
    /// The address of each link and image that is open; `None` where it stays a link.
    open: Vec<Option<String>>,
}

impl Tamed {
    fn take<'t>(&mut self, event: Event<'t>) -> Vec<Event<'t>> {
        match event {
            Event::Html(text) | Event::InlineHtml(text) => vec![Event::Text(text)],
            // Lines stay the lines that were written.
            Event::SoftBreak => vec![Event::HardBreak],
            Event::Start(Tag::Link { dest_url, .. }) if !is_allowed(&dest_url) => {
                self.open.push(Some(dest_url.into_string()));
                Vec::new()
            }
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                id,
                ..
            }) => {
                self.open.push(None);
                // A title would hide what the address is.
                let title = CowStr::Borrowed("");
                vec![Event::Start(Tag::Link {
                    link_type,
                    dest_url,
                    title,
                    id,
                })]
            }
            // Nothing is loaded: a picture is the text that stands for it, and where it lies.
            Event::Start(Tag::Image { dest_url, .. }) => {
                self.open.push(Some(dest_url.into_string()));
                vec![Event::Text("image: ".into())]
            }
            Event::End(TagEnd::Link | TagEnd::Image) => match self.open.pop().flatten() {
                Some(url) if url.is_empty() => Vec::new(),
                Some(url) => vec![Event::Text(format!(" ({url})").into())],
                None => vec![Event::End(TagEnd::Link)],
            },
            event => vec![event],
        }
    }
}

/// Whether a link may stay one: by a list, since readers strip white space and control characters from others.
fn is_allowed(url: &str) -> bool {
    let start = |scheme: &&str| {
        url.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    SCHEMES.iter().any(start) && !url.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_html_is_text_and_links_lead_where_they_may() {
        for (text, expected) in [
            (
                "a <b onclick=x>b</b>",
                "<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>\n",
            ),
            ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
            ("[a](https://b.c)", "<p><a href=\"https://b.c\">a</a></p>\n"),
            (
                "[a](https://b.c \"evil\")",
                "<p><a href=\"https://b.c\">a</a></p>\n",
            ),
            (
                "<mailto:a@b.c>",
                "<p><a href=\"mailto:a@b.c\">mailto:a@b.c</a></p>\n",
            ),
            ("[a](javascript:x)", "<p>a (javascript:x)</p>\n"),
            ("[a](JaVaScRiPt:x)", "<p>a (JaVaScRiPt:x)</p>\n"),
            ("[a](&#106;avascript:x)", "<p>a (javascript:x)</p>\n"),
            ("[a](data:text/html,x)", "<p>a (data:text/html,x)</p>\n"),
            ("[a](file:///etc)", "<p>a (file:///etc)</p>\n"),
            ("[a](//b.c)", "<p>a (//b.c)</p>\n"),
            ("[a](/b)", "<p>a (/b)</p>\n"),
            (
                "![a](https://b.c/p.png)",
                "<p>image: a (https://b.c/p.png)</p>\n",
            ),
            (
                "[![a](https://b/p)](https://c)",
                "<p><a href=\"https://c\">image: a (https://b/p)</a></p>\n",
            ),
            ("one\ntwo", "<p>one<br />\ntwo</p>\n"),
            ("a\u{202e}b", "<p>a\\u{202e}b</p>\n"),
        ] {
            assert_eq!(of(text).into_string(), expected, "{text}");
        }
    }
}
