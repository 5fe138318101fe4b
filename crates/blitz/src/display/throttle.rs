//! Redrawing often enough to be watched, and not more.

use std::time::{Duration, Instant};

/// The time since a display began. Tests wind their own.
pub(crate) type Clock = Box<dyn Fn() -> Duration + Send>;

/// A clock that starts now.
pub(crate) fn clock() -> Clock {
    let started = Instant::now();
    Box::new(move || started.elapsed())
}

/// When the next redrawing is due.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    next: Duration,
}

impl Throttle {
    /// Whether it is time at `now`; at first it is.
    pub(crate) fn is_due(&self, now: Duration) -> bool {
        now >= self.next
    }

    /// The next redrawing comes `interval` after `now`.
    pub(crate) fn wait(&mut self, now: Duration, interval: Duration) {
        self.next = now.saturating_add(interval);
    }
}

#[cfg(test)]
pub(crate) mod test {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// A clock that moves when it is told to; clones share their time.
    #[derive(Clone, Default)]
    pub struct Hand(Arc<AtomicU64>);

    impl Hand {
        pub fn advance(&self, milliseconds: u64) {
            self.0.fetch_add(milliseconds, Ordering::Relaxed);
        }

        pub fn clock(&self) -> Clock {
            let hand = self.clone();
            Box::new(move || Duration::from_millis(hand.0.load(Ordering::Relaxed)))
        }
    }
}
