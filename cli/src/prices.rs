//! What models cost: a table in a file, the one that ships or one's own. A model that is not in it is unknown.

use std::path::Path;

use scrollback::{Error, Usage};
use serde::Deserialize;

use super::exit::Failure;

/// The table that ships.
const SHIPPED: &str = include_str!("prices.json");
/// Tokens that a price is for.
const UNIT: f64 = 1_000_000.0;

/// A table of prices.
#[derive(Debug, Deserialize)]
pub(crate) struct Prices {
    /// When they held.
    pub date: String,
    models: Vec<Price>,
}

/// The price of some models, in US dollars for a million tokens.
#[derive(Debug, Deserialize)]
struct Price {
    names: Vec<String>,
    input: f64,
    output: f64,
    /// Without one, that of the input.
    cache_read: Option<f64>,
    cache_write: Option<f64>,
}

impl Prices {
    /// Those of a file, or those that ship.
    ///
    /// # Errors
    ///
    /// [`Failure::Error`] if the file cannot be read, or is none of prices.
    pub(crate) fn of(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = file else {
            return parsed(SHIPPED).map_err(Failure::from);
        };
        let text = std::fs::read_to_string(path).map_err(|source| Error::Io {
            action: "read",
            path: path.to_owned(),
            source,
        })?;
        parsed(&text).map_err(|error| Failure::Error {
            error,
            hint: Some(format!(
                "`{}` is to look like cli/src/prices.json, which docs/cli.md describes",
                path.display()
            )),
        })
    }

    /// What a model's tokens cost, in US dollars; `None` if the model is not in the table. `fresh_input` are the input
    /// tokens that no cache had.
    pub(crate) fn cost(&self, model: &str, fresh_input: u64, usage: Usage) -> Option<f64> {
        let price = self.price(model)?;
        let parts = [
            (fresh_input, price.input),
            (usage.output_tokens, price.output),
            (
                usage.cache_read_tokens,
                // A table that says nothing of caches does not say that they are free.
                price.cache_read.unwrap_or(price.input),
            ),
            (
                usage.cache_write_tokens,
                price.cache_write.unwrap_or(price.input),
            ),
        ];
        Some(
            parts
                .iter()
                .map(|(tokens, price)| millions(*tokens) * price)
                .sum(),
        )
    }

    fn price(&self, model: &str) -> Option<&Price> {
        let find = |name: &str| {
            let mut prices = self.models.iter();
            prices.find(|price| price.names.iter().any(|known| known == name))
        };
        // A router's name before it, or the day of a release behind it, are the same model.
        let bare = model.rsplit('/').next().unwrap_or(model);
        find(model)
            .or_else(|| find(bare))
            .or_else(|| find(without_date(bare)))
    }
}

fn parsed(text: &str) -> Result<Prices, Error> {
    serde_json::from_str(text).map_err(|error| Error::InvalidJson {
        reason: error.to_string(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "money is told to the cent")]
fn millions(tokens: u64) -> f64 {
    tokens as f64 / UNIT
}

/// A model's name without the day at its end: `-20250929` or `-2025-09-29`.
fn without_date(name: &str) -> &str {
    let is_day = |text: &str| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    for dashes in [1, 3] {
        let Some((at, _)) = name.rmatch_indices('-').nth(dashes - 1) else {
            continue;
        };
        if let Some((start, end)) = name.split_at_checked(at)
            && is_day(&end.replace('-', ""))
        {
            return start;
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(json: &str) -> Usage {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_is_known_has_a_price_and_nothing_else_has() {
        let prices = Prices::of(None).unwrap();
        assert!(prices.date.len() == 10 && prices.models.len() > 10);
        let million = usage(
            r#"{"input_tokens":1000000,"output_tokens":1000000,"cache_read_tokens":1000000,"cache_write_tokens":1000000}"#,
        );
        for (model, cost) in [
            ("claude-sonnet-4-5", Some(22.05)),
            ("claude-sonnet-4-5-20250929", Some(22.05)),
            ("anthropic/claude-haiku-4-5", Some(7.35)),
            ("gpt-5-2025-08-07", Some(12.625)),
            ("gpt-6-sol", Some(14.7)),
            ("claude-sonnet-4-5-next", None),
            ("claude", None),
            ("gpt-5-next", None),
            ("-20250929", None),
            ("", None),
        ] {
            let found = prices.cost(model, million.input_tokens, million);
            assert_eq!(found.is_some(), cost.is_some(), "{model}");
            let differs = found.unwrap_or_default() - cost.unwrap_or_default();
            assert!(differs.abs() < 1e-9, "{model}: {found:?}");
        }
    }

    #[test]
    fn no_model_is_in_the_table_twice() {
        let prices = Prices::of(None).unwrap();
        let mut names: Vec<&String> = prices
            .models
            .iter()
            .flat_map(|price| &price.names)
            .collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn a_file_of_ones_own_goes_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        std::fs::write(
            &path,
            r#"{"date":"2026-01-01","models":[{"names":["m"],"input":2,"output":4}]}"#,
        )
        .unwrap();
        let prices = Prices::of(Some(&path)).unwrap();
        let used = usage(
            r#"{"input_tokens":1000000,"output_tokens":500000,"cache_read_tokens":500000,"cache_write_tokens":0}"#,
        );
        assert_eq!(prices.cost("m", 1_000_000, used), Some(5.0));
        assert_eq!(prices.cost("m", 500_000, used), Some(4.0));
        assert_eq!(prices.cost("gpt-5", 0, used), None);
        std::fs::write(&path, "{}").unwrap();
        assert!(Prices::of(Some(&path)).is_err());
        assert!(Prices::of(Some(&folder.path().join("none"))).is_err());
    }
}
