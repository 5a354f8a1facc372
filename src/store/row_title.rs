//! The title in a session's row: the best of those that are offered, and what holds again once that
//! one is taken back.

use crate::agents::INDEX_TITLE_RANK;
use crate::codec::session_row::SessionRow;

/// Titles from this rank on can be taken back: what they have beaten is kept beside them.
const CAN_BE_TAKEN_BACK: u8 = INDEX_TITLE_RANK;

/// Takes a title of a rank. `latest_wins` says whether it goes before an earlier one of its rank.
pub(crate) fn put(row: &mut SessionRow, rank: u8, title: String, latest_wins: bool) {
    if rank == row.title_rank {
        if latest_wins {
            row.title = title;
        }
        return;
    }
    if rank > row.title_rank {
        let beaten = (
            std::mem::replace(&mut row.title_rank, rank),
            std::mem::replace(&mut row.title, title),
        );
        if rank >= CAN_BE_TAKEN_BACK && beaten.0 > 0 {
            row.beaten_titles.push(beaten);
        }
        return;
    }
    if row.title_rank < CAN_BE_TAKEN_BACK {
        return;
    }
    let beaten = &mut row.beaten_titles;
    match beaten.iter_mut().find(|(found, _)| *found == rank) {
        Some((_, old)) if latest_wins => *old = title,
        Some(_) => {}
        None => {
            let at = beaten.partition_point(|(found, _)| *found < rank);
            beaten.insert(at, (rank, title));
            // Below one that stays nothing can hold again.
            let stay = beaten.partition_point(|(found, _)| *found < CAN_BE_TAKEN_BACK);
            beaten.drain(..stay.saturating_sub(1));
        }
    }
}

/// Takes the title of a rank back, if that can be done.
pub(super) fn take_back(row: &mut SessionRow, rank: u8) {
    if rank < CAN_BE_TAKEN_BACK {
        return;
    }
    if rank == row.title_rank {
        (row.title_rank, row.title) = row.beaten_titles.pop().unwrap_or_default();
    } else {
        row.beaten_titles.retain(|(found, _)| *found != rank);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::SessionKey;

    fn after(steps: &[(u8, &str)]) -> (u8, String) {
        let mut row = SessionRow::new(&SessionKey::native("s").unwrap(), 0);
        for (rank, title) in steps {
            match *title {
                "" => take_back(&mut row, *rank),
                title => put(&mut row, *rank, title.to_owned(), *rank >= 40 || *rank == 5),
            }
        }
        assert!(row.beaten_titles.is_sorted_by_key(|(rank, _)| *rank));
        assert!(row.beaten_titles.len() <= 2, "{:?}", row.beaten_titles);
        (row.title_rank, row.title)
    }

    #[test]
    fn what_is_taken_back_gives_way_to_the_next_best() {
        for (steps, rank, title) in [
            (&[(10, "asked"), (60, "mine"), (60, "")][..], 10, "asked"),
            (
                &[(60, "mine"), (10, "asked"), (10, "later"), (60, "")],
                10,
                "asked",
            ),
            (
                &[
                    (10, "a"),
                    (50, "made"),
                    (60, "mine"),
                    (50, "made again"),
                    (60, ""),
                ],
                50,
                "made again",
            ),
            (
                &[(10, "a"), (50, "made"), (60, "mine"), (50, ""), (60, "")],
                10,
                "a",
            ),
            (
                &[
                    (60, "mine"),
                    (5, "last"),
                    (10, "asked"),
                    (5, "later"),
                    (60, ""),
                ],
                10,
                "asked",
            ),
            (&[(60, "mine"), (60, ""), (60, "")], 0, ""),
            (&[(10, "asked"), (10, ""), (60, "")], 10, "asked"),
            (&[(60, "one"), (60, ""), (60, "two")], 60, "two"),
            (
                &[(60, "mine"), (40, "sum"), (10, "asked"), (60, "")],
                40,
                "sum",
            ),
        ] {
            assert_eq!(after(steps), (rank, title.to_owned()), "{steps:?}");
        }
    }
}
