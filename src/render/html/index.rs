//! The page of many sessions: a table that leads to each, and bars of tokens by day.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use chrono::NaiveDate;
use maud::{PreEscaped, html};

use super::message::time;
use super::shell;
use super::text::plain;
use crate::model::session::Summary;
use crate::render::number::{counted, grouped};

/// Days that have a bar at most: the last ones.
const DAYS_MAX: usize = 120;
/// Days that there is room for at least, so that few bars are no walls.
const DAYS_MIN: usize = 40;
/// Height of the highest bar.
const HEIGHT: u64 = 100;

/// A session of the page.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// The session.
    pub summary: Summary,
    /// Where its page lies, below the folder of the index.
    pub names: Vec<Vec<u8>>,
    /// Tokens by day, where lines say both.
    pub tokens: BTreeMap<NaiveDate, u64>,
}

/// Writes the page.
pub(crate) fn write_index(out: &mut dyn Write, sessions: &[Listed]) -> io::Result<()> {
    shell::begin(out, "Sessions")?;
    let mut days: BTreeMap<NaiveDate, u64> = BTreeMap::new();
    for (day, tokens) in sessions.iter().flat_map(|one| &one.tokens) {
        let sum = days.entry(*day).or_default();
        *sum = sum.saturating_add(*tokens);
    }
    // Elements around the rows are opened by hand: rows are written one by one, and never held
    // together.
    let top = html! {
        h1 { (counted(sessions.len() as u64, "session")) }
        (bars(&days))
        (shell::search("these sessions", false))
        (PreEscaped("<main><table><thead><tr><th>Session<th>Agent<th>Project<th>Updated<th>Messages<th>Tokens</thead><tbody>"))
    };
    out.write_all(top.into_string().as_bytes())?;
    for one in sessions {
        let summary = &one.summary;
        let title = match summary.title.as_str() {
            "" => summary.key.id(),
            title => title,
        };
        let tokens = one
            .tokens
            .values()
            .fold(0_u64, |sum, tokens| sum.saturating_add(*tokens));
        let row = html! {
            tr {
                td { a href=(address(&one.names)) { (plain(title)) } }
                td { (plain(summary.key.agent())) }
                td { (plain(summary.project.as_deref().unwrap_or_default())) }
                td.r { (time(summary.updated_at)) }
                td.r { (grouped(summary.message_count)) }
                td.r { (grouped(tokens)) }
            }
        };
        out.write_all(row.into_string().as_bytes())?;
    }
    out.write_all(b"</tbody></table></main>")?;
    shell::end(out)
}

/// Bars of tokens by day; each says its day and its number.
fn bars(days: &BTreeMap<NaiveDate, u64>) -> maud::Markup {
    let shown: Vec<(&NaiveDate, &u64)> = days.iter().rev().take(DAYS_MAX).collect();
    let most = shown.iter().map(|(_, tokens)| **tokens).max().unwrap_or(0);
    if most == 0 {
        return html! {};
    }
    html! {
        svg viewBox=(format!("0 0 {} {HEIGHT}", shown.len().max(DAYS_MIN) * 10)) preserveAspectRatio="none" role="img" aria-label="Tokens by day" {
            @for (at, (day, tokens)) in shown.iter().rev().enumerate() {
                // At least 1: a day with few tokens is to be seen beside one with millions.
                @let height = (u128::from(**tokens) * u128::from(HEIGHT) / u128::from(most)).max(1);
                rect x=(at * 10 + 1) y=(u128::from(HEIGHT) - height) width="8" height=(height) {
                    title { (day) ": " (grouped(**tokens)) " tokens" }
                }
            }
        }
    }
}

/// A path as an address, relative to the page.
fn address(names: &[Vec<u8>]) -> String {
    let mut address = String::new();
    for name in names {
        if !address.is_empty() {
            address.push('/');
        }
        for byte in name {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) {
                address.push(char::from(*byte));
            } else {
                let _ = write!(address, "%{byte:02X}");
            }
        }
    }
    // A name with a colon would be a scheme.
    format!("./{address}")
}
