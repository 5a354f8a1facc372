//! What stands around every page: its head with the policy, the style, the script.

use std::io::{self, Write};
use std::sync::LazyLock;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::text::plain;
use crate::codec::chain::sha256;

/// The style of every page.
const STYLE: &str = include_str!("style.css");
/// Filters and searches within a page; nothing needs it.
const SCRIPT: &str = include_str!("script.js");

/// What a page may do: show itself.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
});

/// Writes what comes before the content of a page.
pub(super) fn begin(out: &mut dyn Write, title: &str) -> io::Result<()> {
    let title = plain(title);
    // What is opened by hand stays open: the content of a page is written piece by piece.
    let head = html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\">"))
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(POLICY.as_str());
            meta name="viewport" content="width=device-width,initial-scale=1";
            meta name="referrer" content="no-referrer";
            meta name="generator" content="scrollback";
            title { (title) }
            style { (PreEscaped(STYLE)) }
        }
        (PreEscaped("<body>"))
    };
    out.write_all(head.into_string().as_bytes())
}

/// The line to search with, which the script shows.
pub(super) fn search(what: &str, has_tools: bool) -> Markup {
    html! {
        form hidden {
            input type="search" name="q" placeholder=(format!("Search {what}")) aria-label=(format!("Search {what}"));
            @if has_tools {
                label { input type="checkbox" name="t" checked; " tools" }
            }
            output {}
        }
    }
}

/// Writes what comes behind it.
pub(super) fn end(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<script>{SCRIPT}</script></body></html>")
}

/// The hash of a text, as a policy names it.
fn hash(text: &str) -> String {
    base64(&sha256(text.as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let mut three = [0; 3];
        for (to, from) in three.iter_mut().zip(chunk) {
            *to = *from;
        }
        let [a, b, c] = three.map(u32::from);
        let all = a << 16 | b << 8 | c;
        for at in 0..4_usize {
            let six = all >> (18 - 6 * at) & 63;
            let digit = DIGITS.get(six as usize).copied().unwrap_or(b'=');
            out.push(if at <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_the_one_that_policies_take() {
        for (bytes, expected) in [
            ("", ""),
            ("h", "aA=="),
            ("hi", "aGk="),
            ("hi!", "aGkh"),
            ("\u{ff}", "w78="),
        ] {
            assert_eq!(base64(bytes.as_bytes()), expected);
        }
        assert_eq!(hash(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn the_script_and_the_style_cannot_end_early() {
        assert!(!STYLE.contains('<') && !SCRIPT.contains("</"));
    }
}
