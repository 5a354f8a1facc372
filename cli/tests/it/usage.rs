//! `usage`: tokens and money, summed up by what is asked for.

use serde_json::Value;

use crate::harness::Home;

/// Answers of three days by two models in two projects, one of them told twice as it grew, and a session that is a copy.
fn with_answers() -> Home {
    let home = Home::new();
    let line = |id: &str, folder: &str, day: u32, model: &str, output: u64| {
        format!(
            "{{\"type\":\"assistant\",\"uuid\":\"{id}{output}\",\"sessionId\":\"s\",\"cwd\":\"/w/{folder}\",\"requestId\":\"r{id}\",\
             \"timestamp\":\"2026-05-{day:02}T10:00:00Z\",\"message\":{{\"id\":\"{id}\",\"role\":\"assistant\",\"model\":\"{model}\",\
             \"content\":[{{\"type\":\"text\",\"text\":\"x\"}}],\"usage\":{{\"input_tokens\":1000000,\"output_tokens\":{output}}}}}}}\n"
        )
    };
    let sonnet = "claude-sonnet-4-5-20250929";
    let one = [
        line("a", "shop", 1, sonnet, 5),
        line("a", "shop", 1, sonnet, 100_000),
        line("b", "shop", 4, "nobody-knows", 7),
    ]
    .concat();
    home.write("in/.claude/projects/-w-shop/one.jsonl", &one);
    let two = line("c", "garden", 11, sonnet, 0);
    home.write("in/.claude/projects/-w-garden/two.jsonl", two);
    home.ok(&["import", "in"]);
    home
}

fn rows(home: &Home, arguments: &[&str]) -> Vec<(String, u64, Value)> {
    let text = home.ok(&[&["usage", "--json"], arguments].concat());
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let key = row["key"].as_str().unwrap().to_owned();
        (
            key,
            row["input_tokens"].as_u64().unwrap(),
            row["cost"].clone(),
        )
    };
    text.lines().map(row).collect()
}

#[test]
fn tokens_are_summed_up_and_what_has_a_price_is_money() {
    let home = with_answers();
    let one = |key: &str, input: u64, cost: f64| (key.to_owned(), input, Value::from(cost));
    let none = |key: &str, input: u64| (key.to_owned(), input, Value::Null);
    // 3.00 a million read and 15.00 a million written.
    assert_eq!(
        rows(&home, &[]),
        [
            one("2026-05-01", 1_000_000, 4.5),
            none("2026-05-04", 1_000_000),
            one("2026-05-11", 1_000_000, 3.0)
        ]
    );
    for (by, expected) in [
        (
            "week",
            vec![
                one("2026-W18", 1_000_000, 4.5),
                none("2026-W19", 1_000_000),
                one("2026-W20", 1_000_000, 3.0),
            ],
        ),
        ("month", vec![one("2026-05", 3_000_000, 7.5)]),
        ("agent", vec![one("claude-code", 3_000_000, 7.5)]),
        (
            "model",
            vec![
                one("claude-sonnet-4-5-20250929", 2_000_000, 7.5),
                none("nobody-knows", 1_000_000),
            ],
        ),
        (
            "project",
            vec![
                one("/w/shop", 2_000_000, 4.5),
                one("/w/garden", 1_000_000, 3.0),
            ],
        ),
        (
            "session",
            vec![
                one("claude-code:one", 2_000_000, 4.5),
                one("claude-code:two", 1_000_000, 3.0),
            ],
        ),
    ] {
        assert_eq!(rows(&home, &["--by", by]), expected, "{by}");
    }
    assert_eq!(rows(&home, &["--since", "2026-05-05"]).len(), 1);
    assert!(rows(&home, &["--since", "2026-06-05"]).is_empty());
    home.write(
        "p.json",
        r#"{"date":"2026-01-01","models":[{"names":["nobody-knows"],"input":1,"output":0}]}"#,
    );
    let own = rows(&home, &["--by", "month", "--prices", "p.json"]);
    assert_eq!(own, [one("2026-05", 3_000_000, 1.0)]);
}

#[test]
fn no_record_is_read_and_what_is_unknown_is_said() {
    let home = with_answers();
    let output = home.run(&["usage", "-v"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("rows read: 2 of summaries,"), "{told}");
    assert!(told.contains(" 0 of records"), "{told}");
    assert!(
        told.contains("without a price, and so not in the sums of money: nobody-knows"),
        "{told}"
    );
    let table = String::from_utf8(output.stdout).unwrap();
    let last = table.lines().last().unwrap();
    assert!(
        last.starts_with("all") && last.ends_with("7.50+?"),
        "{table}"
    );
    home.write("p.json", "{}");
    assert_eq!(
        home.run(&["usage", "--prices", "p.json"]).status.code(),
        Some(1)
    );
}
