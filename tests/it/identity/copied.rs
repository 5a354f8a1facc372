//! The store of a history copied into another after each import: contents that come and go, lines that are
//! rewritten, and what was removed here are the same there.

use scrollback::{MemoryStore, Options, RedbStore, Store as _};

use super::histories::{Random, history};
use super::step::Told;
use super::world::{Kind, World};
use crate::cases::cases;
use crate::copying::{assert_same, copied, wants};

fn run(kind: Kind, seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut world = World::new(kind);
    let length = 10 + random.below(25);
    let steps = history(&mut random, length);
    let memory = MemoryStore::default();
    let mut told = Told::new();
    for step in &steps {
        if !world.step(step, &mut told) {
            continue;
        }
        if world.store.summary(&world.key()).is_ok() {
            let change = wants(&[format!("seed-{}", random.below(3))], random.below(2) == 0);
            // Another content may have it.
            drop(world.store.update_properties(&world.key(), &change));
        }
        copied(&world.store, &memory);
    }
    let path = world.home.path().join("back.redb");
    let back = RedbStore::open(path, Options::default()).unwrap();
    copied(&memory, &back);
    assert_same(&world.store, &back);
}

#[test]
fn after_each_import_of_any_history_a_copy_holds_the_same() {
    for seed in 1..=u64::from(cases(40)) {
        for kind in [Kind::Claude, Kind::Ggcode, Kind::Notes] {
            let done = std::panic::catch_unwind(|| run(kind, seed));
            assert!(done.is_ok(), "{kind:?}, seed {seed}");
        }
    }
}
