//! `usage` for people: a table with the sum below it, and bars on a terminal.

use super::groups::{By, Group};
use crate::open::Tool;
use crate::output::Output;
use crate::prices::Prices;
use crate::session_list::below_home;
use crate::sizes;
use crate::table::{Align, GivesWay, Table, keep_end, keep_start};
use scrollback::Result;

/// Columns of the longest bar.
const BAR: usize = 20;
/// Columns of a name that is long.
const KEY_MAX: usize = 40;
/// Which columns give way on a narrow terminal: what caches took, answers, input, output.
const ORDER: [GivesWay; 5] = [
    GivesWay::whole(5),
    GivesWay::whole(4),
    GivesWay::whole(1),
    GivesWay::whole(2),
    GivesWay::whole(3),
];

/// Prints the groups.
pub(super) fn print(groups: &[Group], by: By, prices: &Prices, tool: &mut Tool) -> Result<()> {
    let home = tool.home().map(std::path::Path::to_owned);
    // For people alone: a program gets paths that it can open.
    let home = home.as_deref().filter(|_| tool.out.is_terminal());
    let last = match by {
        By::Session => "TITLE",
        _ => "",
    };
    let mut table = Table::new(&[
        (heading(by), Align::Left),
        ("ANSWERS", Align::Right),
        ("INPUT", Align::Right),
        ("OUTPUT", Align::Right),
        ("CACHE READ", Align::Right),
        ("CACHE WRITE", Align::Right),
        ("USD", Align::Right),
        (last, Align::Left),
    ])
    .giving_way(&ORDER, if last.is_empty() { 1 } else { BAR });
    let mut sum = Group {
        key: "all".to_owned(),
        ..Group::default()
    };
    let most = groups
        .iter()
        .map(|group| group.usage.total())
        .max()
        .unwrap_or(0);
    for group in groups {
        sum.add(group);
        let behind = match &group.title {
            Some(title) => tool.out.field(title).into_owned(),
            None => bar(group.usage.total(), most, &tool.out),
        };
        table.push(row(group, by, home, behind, &tool.out));
    }
    table.push(row(&sum, By::Agent, None, String::new(), &tool.out));
    tool.out.page();
    table.print(&mut tool.out)?;
    let date = tool.out.field(&prices.date).into_owned();
    tool.out.notice(&format!("prices of {date}, in US dollars"));
    if !sum.unknown_models.is_empty() {
        let names: Vec<&str> = sum.unknown_models.iter().map(String::as_str).collect();
        tool.out.notice(&format!(
            "without a price, and so not in the sums of money: {}",
            names.join(", ")
        ));
    }
    Ok(())
}

fn heading(by: By) -> &'static str {
    match by {
        By::Day => "DAY",
        By::Week => "WEEK",
        By::Month => "MONTH",
        By::Model => "MODEL",
        By::Project => "PROJECT",
        By::Agent => "AGENT",
        By::Session => "SESSION",
    }
}

fn row(
    group: &Group,
    by: By,
    home: Option<&std::path::Path>,
    behind: String,
    out: &Output,
) -> Vec<String> {
    let key = match by {
        _ if group.key.is_empty() => "unknown".to_owned(),
        By::Project => below_home(&group.key, home),
        _ => group.key.clone(),
    };
    let key = out.field(&key).into_owned();
    let key = match out.columns() {
        Some(columns) if by == By::Project => keep_end(&key, KEY_MAX.min(columns / 3)),
        Some(columns) => keep_start(&key, KEY_MAX.min(columns / 3)),
        None => key,
    };
    let usage = &group.usage;
    vec![
        key,
        sizes::count(group.answers),
        sizes::count(usage.input_tokens),
        sizes::count(usage.output_tokens),
        sizes::count(usage.cache_read_tokens),
        sizes::count(usage.cache_write_tokens),
        money(group),
        behind,
    ]
}

/// The money of a group: `?` where nothing of it has a price, `+?` where some has none.
fn money(group: &Group) -> String {
    match (group.cost, group.unknown_models.is_empty()) {
        (Some(cost), true) => format!("{cost:.2}"),
        (Some(cost), false) => format!("{cost:.2}+?"),
        (None, _) => "?".to_owned(),
    }
}

/// A bar as long as a group's tokens are many; on a terminal only.
fn bar(tokens: u64, most: u64, out: &Output) -> String {
    if !out.is_terminal() || most == 0 {
        return String::new();
    }
    let eighths = u128::from(tokens) * (BAR as u128 * 8) / u128::from(most);
    let eighths = usize::try_from(eighths).unwrap_or(BAR * 8);
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let mut bar = "█".repeat(eighths / 8);
    bar.push_str(rest.get(eighths % 8).unwrap_or(&""));
    bar
}
