//! Reads Markdown into rows.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use unicode_width::UnicodeWidthStr as _;

use super::grid;
use super::words::{Row, Span, broken};
use crate::escape;
use crate::output::Style;
use crate::wrap::wrap;

/// Bytes of a text that are looked at as Markdown; longer ones are shown as they are.
const BYTES_MAX: usize = 256 * 1024;
/// Columns of a line between two parts.
const RULE_COLUMNS: usize = 40;

/// The rows of a text, each at most `columns` wide, and escaped for a terminal.
pub(crate) fn rows(text: &str, columns: usize) -> Vec<Row> {
    let mut page = Page {
        columns,
        ..Page::default()
    };
    if text.len() > BYTES_MAX {
        page.code(text, Style::Plain, "");
        return page.rows;
    }
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    for event in Parser::new_ext(text, options) {
        page.take(event);
    }
    page.flush();
    page.rows
}

/// What stands before the rows within a quotation or an item.
#[derive(Debug)]
struct Before {
    first: Option<String>,
    rest: String,
}

#[derive(Debug, Default)]
struct Page {
    rows: Vec<Row>,
    columns: usize,
    before: Vec<Before>,
    spans: Row,
    styles: Vec<Style>,
    /// The number of the next item of each list; `None` in a list without.
    lists: Vec<Option<u64>>,
    links: Vec<(String, usize)>,
    code: Option<String>,
    table: Option<Vec<Vec<Row>>>,
    /// Whether something came before in this item, so that a block needs a row between.
    is_begun: bool,
}

impl Page {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.said(&text),
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.span(Style::Code, &text);
            }
            // Lines stay the lines that were written.
            Event::SoftBreak | Event::HardBreak => self.broken_line(),
            Event::Rule => {
                self.gap();
                let rule = "─".repeat(self.room().min(RULE_COLUMNS));
                self.row(vec![Span::new(Style::Dim, rule)]);
            }
            Event::TaskListMarker(done) => {
                self.span(Style::Plain, if done { "[x] " } else { "[ ] " });
            }
            Event::FootnoteReference(name) => self.span(Style::Plain, &format!("[{name}]")),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => self.gap(),
            Tag::Heading { .. } => {
                self.gap();
                self.styles.push(Style::Strong);
            }
            Tag::BlockQuote(_) => {
                self.gap();
                // No empty row between the sign in the margin and the first words.
                self.is_begun = false;
                self.within("│ ", "│ ");
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.gap();
                self.code = Some(String::new());
            }
            Tag::List(first) => {
                self.flush();
                if self.lists.is_empty() {
                    self.gap();
                }
                self.lists.push(first);
            }
            Tag::Item => {
                let sign = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", number.saturating_sub(1))
                    }
                    _ => "• ".to_owned(),
                };
                self.is_begun = false;
                self.within(&sign, &" ".repeat(sign.width()));
            }
            Tag::Table(_) => {
                self.gap();
                self.table = Some(Vec::new());
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(lines) = &mut self.table {
                    lines.push(Vec::new());
                }
                if tag == Tag::TableHead {
                    self.styles.push(Style::Strong);
                }
            }
            Tag::Emphasis => self.styles.push(Style::Emphasis),
            Tag::Strong => self.styles.push(Style::Strong),
            Tag::Strikethrough => self.styles.push(Style::Dim),
            Tag::Link { dest_url, .. } => {
                // From where its words begin: where it leads is told behind them, unless they say
                // it.
                self.links.push((dest_url.into_string(), self.spans.len()));
                self.styles.push(Style::Link);
            }
            Tag::Image { dest_url, .. } => {
                self.links.push((dest_url.into_string(), self.spans.len()));
                self.span(Style::Dim, "image: ");
                self.styles.push(Style::Dim);
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                self.flush();
                self.styles.pop();
            }
            TagEnd::Item | TagEnd::BlockQuote(_) => {
                self.flush();
                self.before.pop();
                self.is_begun = true;
            }
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::CodeBlock => {
                let code = self.code.take().unwrap_or_default();
                self.code(&code, Style::Code, "  ");
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.spans);
                if let Some(line) = self.table.as_mut().and_then(|lines| lines.last_mut()) {
                    line.push(cell);
                }
            }
            TagEnd::Table => {
                let lines = self.table.take().unwrap_or_default();
                for row in grid::laid_out(&lines, self.room()) {
                    self.row(row);
                }
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::TableHead => {
                self.styles.pop();
            }
            TagEnd::Link | TagEnd::Image => self.end_link(),
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.flush(),
            _ => {}
        }
    }

    /// Says where a link leads, unless its text does.
    fn end_link(&mut self) {
        self.styles.pop();
        let Some((url, from)) = self.links.pop() else {
            return;
        };
        let said: String = self
            .spans
            .iter()
            .skip(from)
            .map(|span| span.text.as_str())
            .collect();
        if !url.is_empty() && said != url {
            self.span(Style::Dim, &format!(" ({url})"));
        }
    }

    fn said(&mut self, text: &str) {
        if let Some(code) = &mut self.code {
            code.push_str(text);
            return;
        }
        let style = self.styles.last().copied().unwrap_or(Style::Plain);
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                self.broken_line();
            }
            self.span(style, line);
        }
    }

    fn span(&mut self, style: Style, text: &str) {
        let text = text.replace('\t', "    ").replace(['\n', '\r'], " ");
        let text = escape::field(&text).into_owned();
        if !text.is_empty() {
            self.spans.push(Span::new(style, text));
        }
    }

    fn broken_line(&mut self) {
        if self.table.is_none() && !self.spans.is_empty() {
            self.flush();
        } else {
            self.span(Style::Plain, " ");
        }
    }

    /// Goes into a quotation or an item, unless there is no room left.
    fn within(&mut self, first: &str, rest: &str) {
        // Quotations within quotations would leave no room for words.
        let has_room = self.used() + rest.width() <= self.columns / 2;
        let kept = |text: &str| {
            if has_room {
                text.to_owned()
            } else {
                String::new()
            }
        };
        self.before.push(Before {
            first: Some(kept(first)),
            rest: kept(rest),
        });
    }

    fn used(&self) -> usize {
        self.before.iter().map(|before| before.rest.width()).sum()
    }

    fn room(&self) -> usize {
        self.columns.saturating_sub(self.used())
    }

    /// A row between two blocks.
    fn gap(&mut self) {
        self.flush();
        if std::mem::replace(&mut self.is_begun, true) {
            self.row(Row::new());
        }
    }

    fn flush(&mut self) {
        let spans = std::mem::take(&mut self.spans);
        if spans.is_empty() {
            return;
        }
        for row in broken(&spans, self.room()) {
            self.row(row);
        }
        self.is_begun = true;
    }

    fn code(&mut self, text: &str, style: Style, indent: &str) {
        let room = self.room().saturating_sub(indent.len());
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            let line = escape::body(line.strip_suffix('\r').unwrap_or(line)).into_owned();
            for piece in wrap(&line, room) {
                let spans = [Span::new(Style::Plain, indent), Span::new(style, piece)];
                self.row(spans.into());
            }
        }
    }

    /// Adds a row behind what stands before it.
    fn row(&mut self, spans: Row) {
        let mut row = Row::new();
        for before in &mut self.before {
            // A row between two blocks is no first row of an item.
            let first = before.first.take_if(|_| !spans.is_empty());
            row.push(Span::new(
                Style::Dim,
                first.unwrap_or_else(|| before.rest.clone()),
            ));
        }
        row.extend(spans);
        self.rows.push(row);
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::tests::texts;
    use super::super::words::width;
    use super::*;

    fn shown(text: &str, columns: usize) -> Vec<String> {
        texts(&rows(text, columns))
            .iter()
            .map(|row| row.trim_end().to_owned())
            .collect()
    }

    #[test]
    fn headings_lists_quotations_and_code_are_laid_out() {
        let text = "# Head **x**\nOne *two*\nthree `code`.\n\n- a\n  - b\n- c\n\n3. d\n4. e\n\n> said\n\n```rust\nfn a() {}\n\n\tb\n```\nend [there](https://a.b) <https://c.d>\n\n---\n- [x] done\n";
        assert_eq!(
            shown(text, 40),
            [
                "Head x",
                "",
                "One two",
                "three code.",
                "",
                "• a",
                "  • b",
                "• c",
                "",
                "3. d",
                "4. e",
                "",
                "│ said",
                "",
                "  fn a() {}",
                "",
                "  \tb",
                "",
                "end there (https://a.b) https://c.d",
                "",
                "────────────────────────────────────────",
                "",
                "• [x] done",
            ]
        );
    }

    #[test]
    fn a_table_fits_and_becomes_a_list_where_it_cannot() {
        let table = "| Name | What |\n|---|---|\n| 資料 | a long text that wraps |\n| b | 👨\u{200d}👩\u{200d}👧 |\n";
        assert_eq!(
            shown(table, 60),
            [
                "Name │ What",
                "─────┼───────────────────────",
                "資料 │ a long text that wraps",
                "b    │ 👨\u{200d}👩\u{200d}👧",
            ]
        );
        let narrow = shown(table, 20);
        assert_eq!(
            narrow[2..5],
            [
                "資料 │ a long text",
                "     │ that wraps",
                "b    │ 👨\u{200d}👩\u{200d}👧"
            ]
        );
        let wide = format!(
            "|{}\n|{}\n|{}\n",
            " h |".repeat(9),
            "---|".repeat(9),
            " a longer cell |".repeat(9)
        );
        assert_eq!(shown(&wide, 40)[0], "h: a longer cell");
    }

    #[test]
    fn rows_fit_and_are_escaped_whatever_the_text_is() {
        let deep = "> ".repeat(500) + "x";
        let items = (0..60).fold(String::new(), |text, depth| {
            text + &" ".repeat(2 * depth) + "- x\n"
        });
        let table = format!("|{}\n|{}\n", "x|".repeat(300), "-|".repeat(300));
        let evil = "# \x1b[2J\u{202e}\n`\x07`\n<b onclick=x>\x08</b>\n\n    \x1b]52;c;x\x07\n[a\x1b](http://\x1b[1m)";
        for text in [
            &deep,
            &items,
            &table,
            evil,
            &"a\tb\n".repeat(9),
            &"資料".repeat(99),
            "",
            "\n\n",
        ] {
            for columns in [16, 40, 100] {
                let rows = rows(text, columns);
                assert!(rows.iter().all(|row| width(row) <= columns), "{rows:?}");
                let text = texts(&rows).concat();
                let bad = text
                    .chars()
                    .find(|c| c.is_control() && *c != '\t' || *c == '\u{202e}');
                assert_eq!(bad, None, "{text:?}");
            }
        }
        assert!(shown("a <b>x</b>", 40) == ["a <b>x</b>"]);
    }
}
