//! Of how many hits a search for the best ones picks.

use scrollback::limits::SEARCH_BEST_OF;
use scrollback::{
    Expect, MemoryStore, Message, NewRecord, Role, SearchQuery, SessionKey, Sort, Store, unwatched,
};

#[test]
fn the_best_are_picked_from_the_newest_hits() {
    let store = MemoryStore::default();
    let key = SessionKey::native("s").unwrap();
    let said = |text: String| NewRecord::message(Message::text(Role::User, text));
    // The first one says it best, and is one too old.
    let mut lines = vec![said("needle needle needle".to_owned())];
    lines.extend((0..SEARCH_BEST_OF).map(|at| said(format!("a needle {at}"))));
    let best = SearchQuery::new("needle".parse().unwrap())
        .with_sort(Sort::Best)
        .with_limit(1);
    for (from, expected) in [(1, Some(0)), (0, None)] {
        store.delete(&key).ok();
        let mut chosen = lines.clone();
        if from == 1 {
            chosen.pop();
        }
        store.append(&key, Expect::Any, None, &chosen).unwrap();
        let page = store.search(&best, &mut unwatched).unwrap();
        let first = page.hits[0].sequence.unwrap();
        assert_eq!(Some(first).filter(|at| *at == 0), expected);
        assert_eq!((page.hits.len(), page.next), (1, None));
    }
}
