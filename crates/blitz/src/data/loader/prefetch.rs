//! A thread that makes batches while the training step runs.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

use super::batch::Batch;
use super::maker::{BatchMaker, Plan};

/// Makes the batches of an epoch before they are asked for, in order. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Prefetch {
    /// `None` at the end: the thread then finds nobody to send to.
    batches: Option<Receiver<Batch>>,
    thread: Option<JoinHandle<()>>,
}

impl Prefetch {
    /// Starts to make the batches of `parts`, at most `ahead` of them in store, at least 1.
    pub(super) fn start(
        maker: BatchMaker,
        parts: impl Iterator<Item = Plan> + Send + 'static,
        ahead: usize,
    ) -> io::Result<Prefetch> {
        // The thread itself holds one more batch while it waits for room.
        let (sender, batches) = sync_channel(ahead - 1);
        let work = move || {
            for part in parts {
                if sender.send(maker.make(&part)).is_err() {
                    return; // the epoch was left
                }
            }
        };
        let thread = thread::Builder::new().name("prefetch".to_owned()).spawn(work)?;
        Ok(Prefetch { batches: Some(batches), thread: Some(thread) })
    }

    /// The next batch. Called as often as there are parts, at most.
    ///
    /// # Panics
    ///
    /// With the payload of the thread's panic, where the making failed.
    pub(super) fn next(&mut self) -> Batch {
        match self.batches.as_ref().map(Receiver::recv) {
            Some(Ok(batch)) => batch,
            _ => match self.thread.take().map(JoinHandle::join) {
                Some(Err(payload)) => resume_unwind(payload),
                _ => unreachable!("a thread that did not panic has sent a batch for each part"),
            },
        }
    }
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            // A panic while making a batch that nobody asked for concerns nobody.
            let _ = thread.join();
        }
    }
}
