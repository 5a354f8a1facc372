//! Sums of what answers took, by what was asked for.

use std::collections::{BTreeMap, BTreeSet};

use scrollback::Usage;
use scrollback::chrono::{Datelike as _, NaiveDate};
use scrollback::report::SessionUsage;
use serde::Serialize;

use crate::prices::Prices;

/// By what to sum up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum By {
    Day,
    Week,
    Month,
    Model,
    Project,
    Agent,
    Session,
}

impl By {
    /// The name of a part's group.
    fn key(self, one: &SessionUsage) -> String {
        let dated = |text: fn(NaiveDate) -> String| one.sum.day.map_or_else(String::new, text);
        match self {
            Self::Day => dated(|day| day.to_string()),
            Self::Week => dated(|day| {
                let week = day.iso_week();
                format!("{:04}-W{:02}", week.year(), week.week())
            }),
            Self::Month => dated(|day| day.format("%Y-%m").to_string()),
            Self::Model => one.sum.model.clone(),
            Self::Project => one.project.clone().unwrap_or_default(),
            Self::Agent => one.sum.agent.clone(),
            Self::Session => one.session.to_string(),
        }
    }

    /// Whether groups follow each other in time; others are sorted by what they cost.
    pub(super) fn is_time(self) -> bool {
        matches!(self, Self::Day | Self::Week | Self::Month)
    }
}

/// What a group of answers took.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Group {
    /// The day, week, month, model, project, agent or session; empty where lines do not say it.
    pub key: String,
    /// The title of a session.
    pub title: Option<String>,
    pub answers: u64,
    #[serde(flatten)]
    pub usage: Usage,
    /// Input tokens that were neither read from a cache nor written to one.
    pub fresh_input_tokens: u64,
    /// US dollars of the models that have a price; `None` if none of them has.
    pub cost: Option<f64>,
    /// Models with tokens and without a price.
    pub unknown_models: BTreeSet<String>,
}

impl Group {
    /// Adds another one.
    pub(super) fn add(&mut self, other: &Self) {
        self.answers += other.answers;
        self.usage += other.usage;
        // Counts are what files say: a wrong one makes a wrong sum, and no panic.
        self.fresh_input_tokens = self
            .fresh_input_tokens
            .saturating_add(other.fresh_input_tokens);
        if let Some(cost) = other.cost {
            *self.cost.get_or_insert(0.0) += cost;
        }
        self.unknown_models
            .extend(other.unknown_models.iter().cloned());
    }
}

/// The groups: in time, or else the dearest first, then the largest.
pub(super) fn grouped(parts: &[SessionUsage], by: By, prices: &Prices) -> Vec<Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for one in parts {
        let part = part(one, prices);
        let key = by.key(one);
        let group = groups.entry(key.clone()).or_insert_with(|| Group {
            key,
            title: (by == By::Session).then(|| one.title.clone()),
            ..Group::default()
        });
        group.add(&part);
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    if !by.is_time() {
        groups.sort_by(|a, b| {
            let cost = |group: &Group| group.cost.unwrap_or_default();
            cost(b)
                .total_cmp(&cost(a))
                .then(b.usage.total().cmp(&a.usage.total()))
        });
    }
    groups
}

fn part(one: &SessionUsage, prices: &Prices) -> Group {
    let mut part = Group {
        answers: one.sum.answers,
        usage: one.sum.usage,
        fresh_input_tokens: one.sum.fresh_input(),
        cost: prices.cost(&one.sum.model, one.sum.fresh_input(), one.sum.usage),
        ..Group::default()
    };
    // What takes no tokens costs nothing, whatever it is called.
    if part.cost.is_none() && part.usage.total() == 0 {
        part.cost = Some(0.0);
    } else if part.cost.is_none() {
        let model = &one.sum.model;
        let name = if model.is_empty() { "(no name)" } else { model };
        part.unknown_models.insert(name.to_owned());
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_nothing_can_have_taken_ends_no_sum() {
        let group = |fresh_input_tokens| Group {
            fresh_input_tokens,
            ..Group::default()
        };
        let mut sum = group(u64::MAX);
        sum.add(&group(1));
        assert_eq!(sum.fresh_input_tokens, u64::MAX);
    }
}
