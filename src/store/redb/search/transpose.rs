//! From documents with their buckets to buckets with their documents, some buckets at a time, so that what is
//! written here and there stays in a processor's cache.

use crate::model::error::Result;
use crate::search::{BUCKETS, PackedSet};

/// Buckets whose lists are made at a time.
const BUCKETS_AT_ONCE: u32 = 4096;

/// Gives the list of each bucket that some document has: documents by their places, in order.
pub(super) fn each_list(
    documents: &[&PackedSet],
    give: &mut dyn FnMut(u32, &[u32]) -> Result<()>,
) -> Result<()> {
    let mut left: Vec<_> = documents.iter().map(|one| one.buckets()).collect();
    // By counting: what each document has of these buckets, where each list ends, and then the lists.
    let (mut had, mut counts, mut lists) = (Vec::new(), Vec::new(), Vec::new());
    let mut ends = vec![0_u32; BUCKETS_AT_ONCE as usize];
    for from in (0..BUCKETS).step_by(BUCKETS_AT_ONCE as usize) {
        had.clear();
        counts.clear();
        ends.fill(0);
        for buckets in &mut left {
            let before = had.len();
            while let Some(bucket) = buckets.next_before(from + BUCKETS_AT_ONCE) {
                let at = bucket - from;
                had.push(u16::try_from(at).unwrap_or(u16::MAX));
                if let Some(count) = ends.get_mut(at as usize) {
                    *count += 1;
                }
            }
            counts.push(had.len() - before);
        }
        let mut sum = 0;
        for end in &mut ends {
            // Where its list begins; it becomes the end as the list is filled.
            sum += std::mem::replace(end, sum);
        }
        lists.clear();
        lists.resize(sum as usize, 0_u32);
        let mut rest = had.as_slice();
        for (place, count) in (0_u32..).zip(&counts) {
            let (of_this, behind) = rest.split_at_checked(*count).unwrap_or((rest, &[]));
            rest = behind;
            for at in of_this {
                let Some(end) = ends.get_mut(usize::from(*at)) else {
                    continue;
                };
                if let Some(slot) = lists.get_mut(*end as usize) {
                    *slot = place;
                }
                *end += 1;
            }
        }
        let mut start = 0;
        for (bucket, end) in (from..).zip(&ends) {
            let list = lists.get(start as usize..*end as usize);
            match list {
                Some(list) if !list.is_empty() => give(bucket, list)?,
                _ => {}
            }
            start = *end;
        }
    }
    Ok(())
}
