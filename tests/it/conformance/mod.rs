//! The stores of this crate keep every contract, and every contract can be broken.

mod breaks_keeping;
mod breaks_listing;
mod breaks_reading;
mod breaks_searching;
mod breaks_writing;
pub(crate) mod broken;
mod places;
mod sessions;

use std::sync::Arc;

use scrollback::conformance::{
    Contract, MakePlace, MakeStore, MakeTorn, REOPENING, STORE, TORN, run_all, run_one,
};
use scrollback::{MemoryStore, Mode, SessionKey, Store};

use self::broken::Broken;

/// A contract, and what breaks a store so that it does not hold.
type Break = (&'static str, fn(&mut Broken));

mod memory {
    //! The store in memory keeps every contract.

    scrollback::store_tests!(|| Box::new(super::MemoryStore::default()));
}

mod redb_shared {
    //! The store in a file that several processes share keeps every contract.

    use super::{Mode, places};

    scrollback::store_tests!(places::files(Mode::Shared));
    scrollback::reopening_tests!(places::reopened(Mode::Shared));
    scrollback::torn_tests!(places::imported(Mode::Shared));
}

mod redb_exclusive {
    //! The store in a file of one process keeps every contract.

    use super::{Mode, places};

    scrollback::store_tests!(places::files(Mode::Exclusive));
    scrollback::reopening_tests!(places::reopened(Mode::Exclusive));
    scrollback::torn_tests!(places::imported(Mode::Exclusive));
}

fn breaks() -> Vec<Break> {
    let all = [
        breaks_reading::SAVING,
        breaks_reading::READING,
        breaks_searching::SEARCHING,
        breaks_listing::LISTING,
        breaks_listing::REMOVING,
        breaks_writing::APPENDING,
        breaks_writing::BATCHES,
        breaks_writing::META,
        breaks_writing::THREADS,
        breaks_keeping::HIDING,
        breaks_keeping::REPLACING,
        breaks_keeping::COMPACTING,
        breaks_keeping::SCANNING,
        breaks_keeping::VIEWING,
        breaks_keeping::WRITTEN,
        breaks_keeping::PROPERTIES,
    ];
    all.concat()
}

/// Names of contracts without a break, of breaks without a contract, and of those that have two.
fn unpaired<M: ?Sized>(contracts: &[Contract<M>], breaks: &[&str]) -> Vec<String> {
    let names: Vec<&str> = contracts.iter().map(Contract::name).collect();
    let unbroken = names.iter().filter(|name| !breaks.contains(name));
    let unknown = breaks.iter().filter(|name| !names.contains(name));
    let twice = names
        .iter()
        .filter(|name| names.iter().filter(|other| other == name).count() > 1);
    unbroken
        .chain(unknown)
        .chain(twice)
        .map(ToString::to_string)
        .collect()
}

#[test]
fn every_contract_has_a_store_that_breaks_it() {
    let breaks: Vec<&str> = breaks().iter().map(|(name, _)| *name).collect();
    assert_eq!(unpaired(STORE, &breaks), [""; 0]);
    assert_eq!(unpaired(STORE, &["unheard_of"]).len(), STORE.len() + 1);
    let places: Vec<&str> = places::REOPENING.iter().map(|(name, _)| *name).collect();
    assert_eq!(unpaired(REOPENING, &places), [""; 0]);
    let torn: Vec<&str> = places::TORN.iter().map(|(name, _)| *name).collect();
    assert_eq!(unpaired(TORN, &torn), [""; 0]);
}

/// Runs all contracts over what a break made, and says whether the right one fails, and not many
/// others: what a failure names has to be where the fault is.
fn breaks_noticed<M: ?Sized>(
    contracts: &[Contract<M>],
    name: &str,
    make: &M,
    others_max: usize,
) -> Option<String> {
    // Each allocates as much as the longest line: once is enough.
    let heavy = ["append_refuses_a_line_past_the_limit"];
    let fails = |contract: &&Contract<M>| {
        let is_asked = contract.name() == name || !heavy.contains(&contract.name());
        // Threads that get in each other's way do not do so every time.
        let tries = if contract.name() == name { 20 } else { 1 };
        is_asked && (0..tries).any(|_| contract.run(make).is_err())
    };
    let failed: Vec<&str> = contracts.iter().filter(fails).map(Contract::name).collect();
    if !failed.contains(&name) {
        return Some(format!("broken, but not noticed: {name}"));
    }
    (failed.len() > others_max + 1).then(|| format!("{name} breaks {failed:?}"))
}

#[test]
fn a_broken_store_fails_the_contract_that_it_breaks() {
    let mut complaints = Vec::new();
    for (name, breaks) in breaks() {
        let make = move || -> Box<dyn Store> { Box::new(Broken::new(breaks)) };
        let make: &MakeStore = &make;
        // A save of its own fails most contracts of saving.
        complaints.extend(breaks_noticed(STORE, name, make, 14));
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_place_that_loses_something_fails_the_contract_about_it() {
    for (name, breaks) in places::REOPENING.iter().copied() {
        let make = move || places::broken_place(breaks);
        let make: &MakePlace = &make;
        assert!(run_one(REOPENING, name, make).is_err(), "{name}");
    }
    let whole = run_all(REOPENING, &(|| places::broken_place(|_| {})) as &MakePlace);
    assert!(whole.is_clean(), "{whole}");
}

#[test]
fn a_store_that_fuses_lines_fails_the_contract_about_it() {
    for (name, breaks) in places::TORN.iter().copied() {
        let import = places::imported(Mode::Exclusive);
        let make = move |key: &SessionKey, lines: &[u8]| -> Box<dyn Store> {
            let mut broken = Broken::over(Arc::from(import(key, lines)));
            breaks(&mut broken);
            Box::new(broken)
        };
        let make: &MakeTorn = &make;
        assert!(run_one(TORN, name, make).is_err(), "{name}");
    }
}

#[test]
fn a_store_with_nothing_broken_keeps_every_contract() {
    let report = run_all(STORE, &|| -> Box<dyn Store> {
        Box::new(Broken::new(|_| {}))
    });
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.held.len(), STORE.len());
}
