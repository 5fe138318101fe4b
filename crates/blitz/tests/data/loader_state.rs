//! A loader that is resumed yields what the one that was not interrupted did.

use crate::common::numbered_split;
use blitz::prelude::*;

type Bits = (Vec<i64>, Tensor);

const AUGMENT: Augment = Augment { flip: 0.5, crop_padding: 4, seed: 7 };

/// The rest of this epoch and the two after it.
fn rest(loader: &mut DataLoader) -> Vec<Bits> {
    let bits = |batch: Batch| (Vec::try_from(&batch.labels).unwrap(), batch.images);
    (0..3).flat_map(|_| loader.epoch().map(bits).collect::<Vec<_>>()).collect()
}

fn every_kind_of_loader() -> Vec<LoaderOptions> {
    let mut all = Vec::new();
    for batch_size in [4, 5] {
        for shuffle in [Order::Sequential, Order::Shuffled { seed: 3 }] {
            for last in [LastBatch::Keep, LastBatch::Drop] {
                for augment in [Augment::default(), AUGMENT] {
                    let options = LoaderOptions::default();
                    all.push(LoaderOptions { batch_size, shuffle, last, augment, ..options });
                }
            }
        }
    }
    all
}

#[test]
fn the_rest_is_the_same_wherever_it_was_cut() {
    let split = numbered_split(10);
    for options in every_kind_of_loader() {
        let mut whole = DataLoader::new(&split, options.clone()).unwrap();
        let (batches, all) = (whole.len(), rest(&mut whole));
        for taken in 0..=2 * batches {
            let mut loader = DataLoader::new(&split, options.clone()).unwrap();
            // Whole epochs, and then some batches of the next.
            let (epochs, cut) = (taken / batches, taken % batches);
            (0..epochs).for_each(|_| loader.epoch().for_each(drop));
            let mut epoch = loader.epoch();
            epoch.by_ref().take(cut).for_each(drop);
            let state = epoch.state();
            assert_eq!(state.images_taken, cut as i64 * options.batch_size);
            assert_eq!(state.epochs_begun, (epochs + usize::from(cut > 0)) as u64);
            assert_eq!(loader.state(), state, "dropping the epoch changes nothing");

            let mut resumed = DataLoader::new(&split, options.clone()).unwrap();
            resumed.epoch().take(2).for_each(drop); // it need not be new
            resumed.resume(&state).unwrap();
            assert_eq!(resumed.state(), state);
            let rest = rest(&mut resumed);
            assert_eq!(rest[..all.len() - taken], all[taken..], "{taken} {options:?}");
        }
    }
}

#[test]
fn after_the_last_batch_the_next_epoch_follows() {
    let split = numbered_split(8);
    let options = LoaderOptions { shuffle: Order::Shuffled { seed: 3 }, ..Default::default() };
    let mut loader = DataLoader::new(&split, options.clone()).unwrap();
    let mut epoch = loader.epoch();
    epoch.next();
    epoch.next(); // the last one, and nobody has asked for another yet
    let early = epoch.state();
    assert!(epoch.next().is_none());
    assert_eq!(epoch.state(), early);
    assert_eq!((early.epochs_begun, early.images_taken), (1, 0));
    let mut resumed = DataLoader::new(&split, options).unwrap();
    resumed.resume(&early).unwrap();
    assert_eq!(rest(&mut resumed), rest(&mut loader));
}

#[test]
fn a_resumed_epoch_knows_its_length() {
    let split = numbered_split(10);
    let mut loader = DataLoader::new(&split, LoaderOptions::default()).unwrap();
    let mut epoch = loader.epoch();
    epoch.next();
    let state = epoch.state();
    let mut resumed = DataLoader::new(&split, LoaderOptions::default()).unwrap();
    resumed.resume(&state).unwrap();
    assert_eq!((resumed.len(), resumed.epoch().len()), (3, 2));
}

#[test]
fn a_state_goes_through_json() {
    let options = LoaderOptions { shuffle: Order::Shuffled { seed: 3 }, ..Default::default() };
    let mut loader = DataLoader::new(&numbered_split(10), options).unwrap();
    loader.epoch().take(2).for_each(drop);
    let state = loader.state();
    let text = state.to_json().to_string();
    assert_eq!(LoaderState::from_json(&text.parse().unwrap()).unwrap(), state);
    let error = LoaderState::from_json(&"{\"draws\": -1}".parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains("epochs_begun") && error.to_string().contains("-1"));
}

#[test]
fn the_state_of_another_loader_is_refused() {
    let split = numbered_split(10);
    let shuffled = |seed| LoaderOptions { shuffle: Order::Shuffled { seed }, ..Default::default() };
    let mut loader = DataLoader::new(&split, shuffled(3)).unwrap();
    loader.epoch().take(1).for_each(drop);
    let state = loader.state();
    let refusal = |options, count| {
        let mut other = DataLoader::new(&numbered_split(count), options).unwrap();
        let before = other.state();
        let text = other.resume(&state).unwrap_err().to_string();
        assert_eq!(other.state(), before);
        text
    };
    let text = refusal(shuffled(4), 10);
    assert!(text.contains("of this loader (10 images, Shuffled { seed: 4 }"), "{text}");
    assert!(text.contains("that of another (10 images, Shuffled { seed: 3 }"), "{text}");
    assert!(refusal(LoaderOptions { batch_size: 5, ..shuffled(3) }, 10).contains("batch size 5"));
    assert!(refusal(LoaderOptions { augment: AUGMENT, ..shuffled(3) }, 10).contains("flip: 0.5"));
    assert!(refusal(shuffled(3), 11).contains("11 images"));
    for wrong in [
        LoaderState { images_taken: 10, ..state.clone() },
        LoaderState { images_taken: -4, ..state.clone() },
        LoaderState { images_taken: 3, ..state.clone() },
        LoaderState { processes: 0, ..state.clone() },
        LoaderState { processes: 3, ..state.clone() },
        LoaderState { epochs_begun: 0, ..state.clone() },
        LoaderState { draws: u64::MAX, ..state.clone() },
    ] {
        let text = loader.resume(&wrong).unwrap_err().to_string();
        assert!(text.contains("a position that this loader can have"), "{text}");
    }
    loader.resume(&state).unwrap();
}
