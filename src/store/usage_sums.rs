//! What answers took, added up: by day and model, and by session.

use chrono::NaiveDate;
use serde::Serialize;

use super::json_names;
use crate::agents;
use crate::model::key::SessionKey;
use crate::model::message::Usage;

/// What answers took on a day: those of an agent by a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UsageSum {
    /// The agent.
    pub agent: String,
    /// The day in UTC, where lines say it.
    pub day: Option<NaiveDate>,
    /// The model; empty where no line names one.
    pub model: String,
    /// How many answers.
    pub answers: u64,
    /// What they took, as the agent counts: some count what was read from a cache and written to one among the
    /// input too ([`fresh_input`](Self::fresh_input)).
    pub usage: Usage,
}

impl UsageSum {
    /// Input tokens that were neither read from a cache nor written to one, whichever way the agent counts.
    pub fn fresh_input(&self) -> u64 {
        let Usage {
            input_tokens,
            cache_read_tokens,
            cache_write_tokens,
            ..
        } = self.usage;
        if agents::of_agent(&self.agent).counts_cache_as_input() {
            input_tokens
                .saturating_sub(cache_read_tokens)
                .saturating_sub(cache_write_tokens)
        } else {
            input_tokens
        }
    }
}

/// What the answers of a session took on a day, by a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SessionUsage {
    /// The session.
    #[serde(serialize_with = "json_names::key")]
    pub session: SessionKey,
    /// The folder that it worked in.
    pub project: Option<String>,
    /// Its title.
    pub title: String,
    /// The sum.
    #[serde(flatten)]
    pub sum: UsageSum,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cache_holds_is_fresh_for_no_agent() {
        let fresh = |agent: &str| {
            let sum = UsageSum {
                agent: agent.to_owned(),
                day: None,
                model: String::new(),
                answers: 1,
                usage: Usage {
                    input_tokens: 100,
                    output_tokens: 1,
                    cache_read_tokens: 60,
                    cache_write_tokens: 10,
                },
            };
            sum.fresh_input()
        };
        for agent in ["codex", "gemini", "copilot", "qwen"] {
            assert_eq!(fresh(agent), 30, "{agent}");
        }
        for agent in ["claude-code", "opencode", "pi", "native"] {
            assert_eq!(fresh(agent), 100, "{agent}");
        }
    }
}
