//! What a search found, as rows: below each session its messages, with what was asked for marked.

use std::fmt::Write as _;

use scrollback::chrono::{DateTime, Utc};
use serde::Serialize;

use super::open::Tool;
use super::output::{Output, Style};
use super::times;
use scrollback::{Direction, Hit, Message, Result, Role, ScanQuery, Snippet, Store, StoreExt as _};

/// Characters of a message beside a hit that are shown.
const BESIDE: usize = 160;

/// A message beside a hit.
#[derive(Debug, Serialize)]
pub(crate) struct Beside {
    sequence: u64,
    role: Role,
    time: Option<DateTime<Utc>>,
    text: String,
}

/// A hit as `--json` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct HitRow<'a> {
    #[serde(flatten)]
    hit: &'a Hit,
    context: Vec<&'a Beside>,
}

impl<'a> HitRow<'a> {
    /// A hit with the messages around it.
    pub(crate) fn new(hit: &'a Hit, context: &'a (Vec<Beside>, Vec<Beside>)) -> Self {
        Self {
            hit,
            context: context.0.iter().chain(&context.1).collect(),
        }
    }
}

/// The messages before a hit and behind it, at most so many each, the oldest first.
pub(crate) fn context(
    store: &(impl Store + ?Sized),
    hit: &Hit,
    count: usize,
) -> Result<(Vec<Beside>, Vec<Beside>)> {
    let Some(sequence) = hit.sequence.filter(|_| count > 0) else {
        return Ok((Vec::new(), Vec::new()));
    };
    let side = |direction| -> Result<Vec<Beside>> {
        let query = ScanQuery::default()
            .with_from(sequence)
            .with_direction(direction)
            .with_records_max(64);
        let mut beside = Vec::new();
        for shown in store.view(&hit.key, query) {
            let shown = shown?;
            // The scan begins with the record of the hit itself.
            if shown.record.sequence == sequence {
                continue;
            }
            for message in &shown.messages {
                beside.push(Beside {
                    sequence: shown.record.sequence,
                    role: message.role,
                    time: message.time.or(shown.record.header.time()),
                    text: first_line(message),
                });
            }
            if beside.len() >= count {
                break;
            }
        }
        beside.truncate(count);
        Ok(beside)
    };
    let mut before = side(Direction::Backward)?;
    before.reverse();
    Ok((before, side(Direction::Forward)?))
}

/// The first line of a message that says something.
fn first_line(message: &Message) -> String {
    let (text, tools) = (message.plain_text(), message.tool_text());
    let mut lines = text.lines().chain(tools.lines());
    let line = lines.find(|line| !line.trim().is_empty());
    let line = line.unwrap_or_default().trim();
    match line.char_indices().nth(BESIDE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// Prints hits below their sessions.
pub(crate) fn print(
    store: &(impl Store + ?Sized),
    hits: &[Hit],
    around: usize,
    tool: &mut Tool,
) -> Result<()> {
    let now = tool.now();
    let mut last = None;
    for hit in hits {
        if last != Some(&hit.key) {
            if last.is_some() {
                tool.out.line("")?;
            }
            print_session(hit, now, &mut tool.out)?;
            last = Some(&hit.key);
        } else if around > 0 {
            tool.out.line("  --")?;
        }
        let (before, behind) = context(store, hit, around)?;
        print_beside(&before, &mut tool.out)?;
        print_hit(hit, &mut tool.out)?;
        print_beside(&behind, &mut tool.out)?;
    }
    Ok(())
}

fn print_session(hit: &Hit, now: DateTime<Utc>, out: &mut Output) -> Result<()> {
    let id = out.field(hit.key.id()).into_owned();
    let title = out.field(&hit.title).into_owned();
    let mut line = format!("{id}  {}", hit.key.agent());
    if let Some(project) = &hit.project {
        let project = out.field(project).into_owned();
        let _ = write!(line, "  {project}");
    }
    let _ = write!(line, "  {}", times::relative(hit.time, now));
    if hit.messages > 1 {
        let number = super::sizes::counted(hit.messages, "message");
        let _ = write!(line, "  {number}");
    }
    let line = out.paint(Style::Dim, &line).into_owned();
    let title = out.paint(Style::Strong, &title).into_owned();
    out.line(format!("{line}  {title}").trim_end())
}

fn print_hit(hit: &Hit, out: &mut Output) -> Result<()> {
    let shown = marked(&hit.snippet, out);
    let (Some(sequence), Some(role)) = (hit.sequence, hit.role) else {
        return out.line(&format!("  title  {shown}"));
    };
    let mut who = role.word().to_owned();
    if !hit.live {
        who.push_str(", taken back");
    }
    if hit.injected {
        who.push_str(", put in by the agent");
    }
    let style = match role {
        Role::User => Style::User,
        Role::Assistant => Style::Assistant,
        _ => Style::Plain,
    };
    let who = out.paint(style, &who).into_owned();
    let time = times::stamp(hit.time, out.zone());
    let time = out.paint(Style::Dim, &time).into_owned();
    out.line(&format!("  #{sequence}  {who}  {time}  {shown}"))
}

fn print_beside(messages: &[Beside], out: &mut Output) -> Result<()> {
    for message in messages {
        let text = out.field(&message.text);
        let line = format!("  #{}  {}  {text}", message.sequence, message.role.word());
        let line = out.paint(Style::Dim, &line).into_owned();
        out.line(&line)?;
    }
    Ok(())
}

/// A snippet with its matches in colour, each piece made harmless by itself.
fn marked(snippet: &Snippet, out: &Output) -> String {
    let mut line = String::new();
    let mut at = 0;
    for (start, end) in &snippet.matches {
        line.push_str(&out.field(snippet.text.get(at..*start).unwrap_or_default()));
        let found = out.field(snippet.text.get(*start..*end).unwrap_or_default());
        line.push_str(&out.paint(Style::Match, &found));
        at = *end;
    }
    line.push_str(&out.field(snippet.text.get(at..).unwrap_or_default()));
    line
}
