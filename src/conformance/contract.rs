//! What a contract is, how it is run, and how it says that it does not hold.
//!
//! Invariant: a contract that fails is a value. Not even a store that panics ends a run.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;

/// One sentence that every implementation has to keep, with the program that finds out.
///
/// `M` is what makes the thing that is asked: [`MakeStore`](super::MakeStore), say.
pub struct Contract<M: ?Sized> {
    pub(super) name: &'static str,
    pub(super) states: &'static str,
    pub(super) run: fn(&M) -> Result<(), Difference>,
}

impl<M: ?Sized> Contract<M> {
    /// Its name, which is the name of its test.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it states.
    pub fn states(&self) -> &'static str {
        self.states
    }

    /// Finds out whether it holds, on new and empty ones of what `make` makes.
    ///
    /// # Errors
    ///
    /// What was expected and what came instead; a panic of the implementation counts as that.
    pub fn run(&self, make: &M) -> Result<(), Failure> {
        let difference = match catch_unwind(AssertUnwindSafe(|| (self.run)(make))) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(difference)) => difference,
            Err(panic) => Difference::panicked(panic.as_ref()),
        };
        Err(Failure {
            contract: self.name,
            states: self.states,
            step: difference.step,
            expected: difference.expected,
            came: difference.came,
        })
    }
}

impl<M: ?Sized> fmt::Debug for Contract<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.states)
    }
}

/// Where an implementation did something else than its contract states, within a contract.
#[derive(Debug)]
pub(super) struct Difference {
    /// What was being done.
    pub(super) step: String,
    /// What should have come.
    pub(super) expected: String,
    /// What came.
    pub(super) came: String,
}

impl Difference {
    /// A panic below a contract.
    pub(super) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let said = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Self {
            step: "a call".to_owned(),
            expected: "an answer".to_owned(),
            came: format!("a panic: {}", said.unwrap_or_default()),
        }
    }
}

/// A contract that does not hold.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// The contract's name.
    pub contract: &'static str,
    /// What it states.
    pub states: &'static str,
    /// What was being done.
    pub step: String,
    /// What should have come.
    pub expected: String,
    /// What came instead.
    pub came: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.contract, self.states)?;
        writeln!(f, "  at:       {}", self.step)?;
        writeln!(f, "  expected: {}", self.expected)?;
        write!(f, "  came:     {}", self.came)
    }
}

// A test that returns an error prints its `Debug`: it has to be fit to read.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for Failure {}

/// What a run of many contracts found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The names of those that hold.
    pub held: Vec<&'static str>,
    /// Those that do not.
    pub failures: Vec<Failure>,
}

impl Report {
    /// Whether all of them hold.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (held, failed) = (self.held.len(), self.failures.len());
        write!(f, "{held} contracts hold, {failed} do not")?;
        for failure in &self.failures {
            write!(f, "\n\n{failure}")?;
        }
        Ok(())
    }
}

/// Runs contracts, one after another, and reports on all of them.
pub fn run_all<M: ?Sized>(contracts: &[Contract<M>], make: &M) -> Report {
    let mut report = Report::default();
    for contract in contracts {
        match contract.run(make) {
            Ok(()) => report.held.push(contract.name),
            Err(failure) => report.failures.push(failure),
        }
    }
    report
}

/// Runs the one contract of that name.
///
/// # Errors
///
/// As [`Contract::run`]; that there is none of that name is a failure too.
pub fn run_one<M: ?Sized>(contracts: &[Contract<M>], name: &str, make: &M) -> Result<(), Failure> {
    match contracts.iter().find(|contract| contract.name == name) {
        Some(contract) => contract.run(make),
        None => Err(Failure {
            contract: "run_one",
            states: "A contract is run by its name.",
            step: format!("looking for `{name}`"),
            expected: "a contract of that name".to_owned(),
            came: "none".to_owned(),
        }),
    }
}
