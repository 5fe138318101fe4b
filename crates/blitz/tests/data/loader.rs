//! The order of the images against PyTorch's DataLoader, and the batches themselves.

use crate::common::{difference, floats, integers, numbered_split, reference, values};
use blitz::prelude::*;
use sha2::{Digest, Sha256};

/// A split whose labels are the image indices.
fn indexed_split(count: i64) -> Split {
    let labels = Tensor::arange(count, (Kind::Int64, Device::Cpu));
    Split { images: Tensor::zeros([count, 3, 1, 1], (Kind::Uint8, Device::Cpu)), labels }
}

fn shuffled(seed: u64) -> LoaderOptions {
    LoaderOptions { shuffle: Order::Shuffled { seed }, ..LoaderOptions::default() }
}

fn indices(batches: impl Iterator<Item = Batch>) -> Vec<i64> {
    batches.flat_map(|batch| Vec::<i64>::try_from(&batch.labels).unwrap()).collect()
}

#[test]
fn two_epochs_are_ordered_as_in_pytorch() {
    let cases = reference("loader_order");
    for case in cases["cases"].as_array().unwrap() {
        let split = indexed_split(case["n"].as_i64().unwrap());
        let last =
            if case["drop_last"].as_bool().unwrap() { LastBatch::Drop } else { LastBatch::Keep };
        let options = LoaderOptions { last, ..shuffled(case["seed"].as_u64().unwrap()) };
        let mut loader = DataLoader::new(&split, options).unwrap();
        for epoch in case["epochs"].as_array().unwrap() {
            let order = indices(loader.epoch());
            let first = integers(&epoch["first"]);
            assert_eq!(order[..first.len()], first, "{case}");
            assert_eq!(order.len() as i64, epoch["len"].as_i64().unwrap());
            let bytes: Vec<u8> = order.iter().flat_map(|index| index.to_le_bytes()).collect();
            let digest: String =
                Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(digest, epoch["sha256"], "{case}");
        }
    }
}

#[test]
fn an_epoch_left_early_is_followed_as_in_pytorch() {
    let cases = reference("loader_order");
    let mut loader = DataLoader::new(&indexed_split(10), shuffled(0)).unwrap();
    assert_eq!(indices(loader.iter().take(1)), integers(&cases["peek"]));
    let after: Vec<i64> =
        cases["after_peek"].as_array().unwrap().iter().flat_map(integers).collect();
    assert_eq!(indices(loader.epoch()), after);
}

#[test]
fn batches_hold_the_images_of_their_labels_normalised() {
    let mut loader = DataLoader::new(&numbered_split(10), shuffled(1)).unwrap();
    assert_eq!((loader.len(), loader.image_count()), (3, 10));
    let mut sizes = Vec::new();
    for batch in &mut loader {
        assert_eq!(batch.images.kind(), Kind::Float);
        assert_eq!(batch.images.size()[1..], [3, 32, 32]);
        sizes.push(batch.images.size()[0]);
        let pixels = values(&batch.images.select(1, 2).select(1, 31).select(1, 7));
        let expected: Vec<f64> =
            values(&batch.labels).iter().map(|i| (i / 255.0 - 0.5) / 0.5).collect();
        assert!(difference(&pixels, &expected) < 1e-6);
    }
    assert_eq!(sizes, [4, 4, 2]);
}

#[test]
fn sequential_epochs_are_alike() {
    let mut loader = DataLoader::new(&indexed_split(6), LoaderOptions::default()).unwrap();
    assert_eq!(indices(loader.epoch()), [0, 1, 2, 3, 4, 5]);
    assert_eq!(indices(loader.epoch()), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn lengths_count_what_is_left() {
    let split = indexed_split(10);
    let loader = |batch_size, last| {
        DataLoader::new(&split, LoaderOptions { batch_size, last, ..Default::default() }).unwrap()
    };
    let mut keep = loader(4, LastBatch::Keep);
    let mut epoch = keep.epoch();
    let lengths: Vec<usize> = (0..4)
        .map(|_| {
            let left = epoch.len();
            epoch.next();
            left
        })
        .collect();
    assert_eq!(lengths, [3, 2, 1, 0]);
    assert_eq!(loader(4, LastBatch::Drop).len(), 2);
    assert_eq!(loader(5, LastBatch::Drop).len(), 2);
    let mut whole = loader(10, LastBatch::Drop);
    assert_eq!(whole.epoch().map(|batch| batch.labels.size()[0]).collect::<Vec<_>>(), [10]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let message = |split: &Split, options| DataLoader::new(split, options).unwrap_err().to_string();
    let options = LoaderOptions::default;
    let good = indexed_split(3);
    assert!(
        message(&good, LoaderOptions { batch_size: 0, ..options() })
            .contains("batch_size must be at least 1")
    );
    let text = message(&good, options());
    assert!(text.contains("batch_size must be at most 3, the number of images, got 4"), "{text}");
    let options = || LoaderOptions { batch_size: 2, ..LoaderOptions::default() };
    let transform = Normalize { std: [0.5, 0.5, 0.0], ..Normalize::default() };
    assert!(message(&good, LoaderOptions { transform, ..options() }).contains("option std"));
    assert!(message(&indexed_split(0), options()).contains("an empty split"));
    let short = Split { images: good.images.shallow_clone(), labels: good.labels.narrow(0, 0, 2) };
    assert!(message(&short, options()).contains("[3], one per image"));
}

#[test]
fn normalisation_equals_torchvisions() {
    let case = reference("transform");
    let channels = |name: &str| <[f64; 3]>::try_from(floats(&case[name])).unwrap();
    let normalize = Normalize { mean: channels("mean"), std: channels("std") };
    let bytes: Vec<u8> = integers(&case["chw"]).iter().map(|value| *value as u8).collect();
    let image = Tensor::from_slice(&bytes).view([1, 3, 2, 3]);
    let got = normalize.apply(&image).unwrap();
    assert_eq!(got.size(), [1, 3, 2, 3]);
    assert!(difference(&values(&got), &floats(&case["normalised"])) < 1e-6);
}
