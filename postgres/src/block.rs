//! Waiting for a future on the caller's thread, whatever runtime that thread may belong to.
//!
//! What the client hands out are answers that its connection sends through channels: they need no runtime to
//! be waited for. So a caller is parked and woken, and no runtime is entered that might refuse it.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future until a time; `None` if it is not there by then.
pub(crate) fn wait_until<F: Future>(future: F, end: Instant) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Parked(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return Some(done);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_never_comes_is_given_up() {
        let end = Instant::now() + Duration::from_millis(20);
        assert_eq!(wait_until(std::future::pending::<()>(), end), None);
        assert!(Instant::now() >= end);
        assert_eq!(wait_until(std::future::ready(7), end), Some(7));
    }
}
