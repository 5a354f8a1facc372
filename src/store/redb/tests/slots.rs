//! A damaged header never makes a store with content an empty one.

use std::io::Write as _;
use std::path::Path;

use crate::model::error::Error;
use crate::model::key::SessionKey;
use crate::model::message::{Message, Role};
use crate::store::redb::pages::{PageFile, place_of};
use crate::store::redb::store::RedbStore;
use crate::store::{Expect, Mode, NewRecord, Options, Store as _};

/// In the header: what holds of the whole file.
const GOD_BYTE: usize = 9;
const PRIMARY: u8 = 1;
const RECOVERY_REQUIRED: u8 = 2;
const TWO_PHASE: u8 = 4;

/// Where the two commit slots stand, and in a slot whether it has a tree of the store's tables.
const SLOTS: [usize; 2] = [64, 192];
const HAS_TABLES: usize = 1;

fn options(mode: Mode) -> Options {
    Options::default().with_mode(mode)
}

fn filled(path: &Path, mode: Mode) {
    let store = RedbStore::open(path, options(mode)).unwrap();
    for number in 0..20 {
        let key = SessionKey::native(format!("s-{number}")).unwrap();
        let said = NewRecord::message(Message::text(Role::User, "kept"));
        store.append(&key, Expect::Any, None, &[said]).unwrap();
    }
    store.close().unwrap();
}

/// Of the last commit the root page is damaged, of the one before it the slot: it says that there are
/// no tables, which its checksum does not. An engine that repairs by the second slot all the same has
/// an empty database, and we would make a new store in it.
#[test]
fn a_slot_that_fails_its_checksum_is_no_commit_to_fall_back_to() {
    for mode in [Mode::Exclusive, Mode::Shared] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        filled(&path, mode);
        let slot = PageFile::open(&path).unwrap().header().unwrap().slots()[0];
        let root = place_of(slot.unwrap().user.unwrap().page).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let other = SLOTS[1 - usize::from(bytes[GOD_BYTE] & PRIMARY)];
        assert_eq!(bytes[other + HAS_TABLES], 1);
        bytes[other + HAS_TABLES] = 0;
        bytes[GOD_BYTE] |= RECOVERY_REQUIRED;
        bytes[GOD_BYTE] &= !TWO_PHASE;
        bytes[usize::try_from(root.offset).unwrap() + root.length / 2] ^= 0x55;
        bytes[usize::try_from(root.offset).unwrap() + 5] ^= 0x55;
        let file = std::fs::File::options().write(true).open(&path);
        file.unwrap().write_all(&bytes).unwrap();

        for open in [RedbStore::open, RedbStore::open_read_only] {
            let opened = open(&path, options(mode)).map(|store| {
                let found = store.list(&crate::store::ListQuery::default());
                found.map(|page| page.sessions.len())
            });
            assert!(
                matches!(opened, Err(Error::Corrupt { .. })),
                "{mode:?}: {opened:?}"
            );
        }
        // What is left can be saved.
        let saved = folder.path().join("saved.redb");
        let _report =
            RedbStore::repair(&path, &saved, options(mode), &mut crate::store::unwatched).unwrap();
        let saved = RedbStore::open(&saved, options(mode)).unwrap();
        let found = saved.list(&crate::store::ListQuery::default()).unwrap();
        assert_eq!(found.sessions.len(), 20, "{mode:?}");
    }
}
