//! The batches of one epoch, one after another.

use super::maker::Plan;
use super::prefetch::Prefetch;
use super::{Batch, DataLoader, LastBatch, LoaderState};

/// The batches of one epoch.
///
/// `next` unwinds where the person asked to stop; see
/// [`Watch::unwind_if_requested`](crate::display::interrupt::Watch::unwind_if_requested). The loader stays
/// usable, and continues with its next epoch.
#[derive(Debug)]
pub struct Epoch<'a> {
    loader: &'a mut DataLoader,
    plan: Plan,
    /// `None` where batches are made as they are asked for.
    prefetch: Option<Prefetch>,
}

impl<'a> Epoch<'a> {
    pub(super) fn new(loader: &'a mut DataLoader, plan: Plan) -> Epoch<'a> {
        let ahead = loader.options.prefetch;
        // Where the system has no thread left, the same batches come as they are asked for.
        let start = || {
            let (first, count) = (loader.position.taken, loader.samples());
            let parts = plan.batches(first, count, loader.options.batch_size);
            // The store has room for an epoch at most, however many are asked for.
            let ahead = ahead.min(loader.len());
            Prefetch::start(loader.maker.handles(), parts, ahead).ok()
        };
        let prefetch = if ahead > 0 { start() } else { None };
        Epoch { loader, plan, prefetch }
    }

    /// How far the loader is after the batches that `next` has returned so far, for a checkpoint.
    pub fn state(&self) -> LoaderState {
        self.loader.state()
    }

    /// PyTorch's sampler draws one more order, which it does not use, when it runs out. Drawing
    /// it here too keeps the next epochs in step.
    fn run_out(&mut self) {
        if !self.loader.position.over {
            let count = self.loader.image_count() as usize;
            if let Some(generator) = &mut self.loader.generator {
                generator.randperm(count);
            }
        }
        self.loader.position.over = true;
    }

    fn remaining(&self) -> i64 {
        self.loader.samples() - self.loader.position.taken
    }

    /// As `next`, for callers that look for interrupts themselves.
    pub(crate) fn advance(&mut self) -> Option<Batch> {
        let (batch_size, last) = (self.loader.options.batch_size, self.loader.options.last);
        let size = self.remaining().min(batch_size);
        if size < batch_size {
            self.run_out();
        }
        if size == 0 || (size < batch_size && last == LastBatch::Drop) {
            return None;
        }
        let batch = match &mut self.prefetch {
            Some(prefetch) => prefetch.next(),
            None => self.loader.maker.make(&self.plan.narrow(self.loader.position.taken, size)),
        };
        self.loader.position.taken += size;
        Some(batch)
    }
}

impl Iterator for Epoch<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        self.loader.watch.unwind_if_requested();
        self.advance()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let remaining = self.loader.batches_of(self.remaining());
        (remaining, Some(remaining))
    }
}

impl ExactSizeIterator for Epoch<'_> {}
