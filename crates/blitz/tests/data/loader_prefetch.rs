//! Batches that a thread makes ahead: the same ones, and nothing left running.

use std::fs;
use std::time::{Duration, Instant};

use crate::common::numbered_split;
use blitz::prelude::*;

fn loader(prefetch: usize, last: LastBatch) -> DataLoader {
    let options = LoaderOptions {
        shuffle: Order::Shuffled { seed: 1 },
        augment: Augment { flip: 0.5, crop_padding: 4, seed: 2 },
        last,
        prefetch,
        ..Default::default()
    };
    DataLoader::new(&numbered_split(30), options).unwrap()
}

fn bits(batches: impl Iterator<Item = Batch>) -> Vec<(Tensor, Tensor)> {
    batches.map(|batch| (batch.images, batch.labels)).collect()
}

/// Whether threads of this program make batches; OpenMP's helpers of such a thread have its name
/// too. The tests that ask are one, so that no other's thread is seen.
fn prefetching() -> bool {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let name = |task: std::io::Result<fs::DirEntry>| {
        fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default()
    };
    tasks.map(name).any(|name| name.trim() == "prefetch")
}

fn wait_until_prefetching_is(expected: bool) {
    let started = Instant::now();
    while prefetching() != expected {
        let waited = started.elapsed();
        let limit = Duration::from_secs(300);
        assert!(waited < limit, "waited {limit:?} for prefetching to become {expected}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn order_and_bits_are_the_same_and_the_thread_ends() {
    for last in [LastBatch::Keep, LastBatch::Drop] {
        let mut plain = loader(0, last);
        let expected: Vec<_> = (0..3).map(|_| bits(plain.epoch())).collect();
        for prefetch in [1, 2, 7, 100] {
            let mut ahead = loader(prefetch, last);
            for epoch in &expected {
                assert_eq!(bits(ahead.epoch()), *epoch, "{prefetch}");
            }
        }
    }
    // An epoch left early ends the thread too, and changes the following ones as without.
    let (mut plain, mut ahead) = (loader(0, LastBatch::Keep), loader(2, LastBatch::Keep));
    plain.epoch().take(3).for_each(drop);
    let mut epoch = ahead.epoch();
    epoch.by_ref().take(3).for_each(drop);
    wait_until_prefetching_is(true);
    assert_eq!(epoch.state().images_taken, 12, "what was made ahead does not count");
    drop(epoch);
    wait_until_prefetching_is(false);
    assert_eq!(bits(ahead.epoch()), bits(plain.epoch()));
    // Both resume to the same.
    plain.epoch().take(2).for_each(drop);
    let mut resumed = loader(3, LastBatch::Keep);
    resumed.resume(&plain.state()).unwrap();
    let mut expected = loader(0, LastBatch::Keep);
    expected.resume(&plain.state()).unwrap();
    let (rest, expected) = (bits(resumed.epoch()), bits(expected.epoch()));
    assert_eq!((rest.len(), rest), (6, expected));
    wait_until_prefetching_is(false);
}
