//! Batches that are made on the device, from images that lie there.

use blitz::prelude::*;

use crate::{assert_near, device, formula_split, seeded};

fn loader(device: Device, options: LoaderOptions) -> DataLoader {
    DataLoader::new(&formula_split(43), LoaderOptions { device, ..options }).unwrap()
}

fn batches(device: Device, options: &LoaderOptions) -> Vec<Batch> {
    let mut loader = loader(device, options.clone());
    assert_eq!(loader.device(), device);
    let first: Vec<Batch> = loader.epoch().collect();
    first.into_iter().chain(loader.epoch()).collect()
}

#[test]
#[ignore = "needs a CUDA device"]
fn batches_made_on_the_device_are_those_of_the_cpu() {
    let shuffle = Order::Shuffled { seed: 7 };
    let augment = Augment { flip: 0.5, crop_padding: 3, seed: 2 };
    let plain = LoaderOptions { shuffle, ..LoaderOptions::default() };
    let dropped = LoaderOptions { batch_size: 5, last: LastBatch::Drop, ..plain.clone() };
    for options in [
        LoaderOptions::default(),
        plain.clone(),
        dropped,
        LoaderOptions { augment, ..plain.clone() },
        LoaderOptions { augment, prefetch: 3, ..plain },
    ] {
        let (got, expected) = (batches(device(), &options), batches(Device::Cpu, &options));
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(&expected) {
            assert_eq!((got.images.device(), got.labels.device()), (device(), device()));
            assert_eq!(got.labels.to_device(Device::Cpu), expected.labels, "{options:?}");
            assert_near(&got.images, &expected.images, 1e-6, 1e-6);
        }
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn a_loader_goes_on_where_one_on_the_cpu_stopped() {
    let options =
        LoaderOptions { shuffle: Order::Shuffled { seed: 3 }, ..LoaderOptions::default() };
    let mut first = loader(Device::Cpu, options.clone());
    let mut epoch = first.epoch();
    let _ = epoch.next().unwrap();
    let state = epoch.state();
    let mut second = loader(device(), options);
    second.resume(&state).unwrap();
    let labels = second.epoch().next().unwrap().labels.to_device(Device::Cpu);
    assert_eq!(labels, epoch.next().unwrap().labels);
}

#[test]
#[ignore = "needs a CUDA device"]
fn images_that_are_on_the_device_already_stay_where_they_are() {
    let split = formula_split(6);
    let moved = Split {
        images: split.images.to_device(device()),
        labels: split.labels.to_device(device()),
    };
    let options = LoaderOptions { device: device(), ..LoaderOptions::default() };
    let mut loader = DataLoader::new(&moved, options).unwrap();
    let before = loader.epoch().next().unwrap().images;
    let _ = moved.images.shallow_clone().fill_(0);
    assert_ne!(loader.epoch().next().unwrap().images, before, "the memory is shared");
}

#[test]
#[ignore = "needs a CUDA device"]
fn normalising_there_and_back_gives_the_bytes() {
    let transform = Normalize { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] };
    let bytes = formula_split(5).images.to_device(device());
    let normalised = transform.apply(&bytes).unwrap();
    assert_eq!(normalised.device(), device());
    let expected = transform.apply(&bytes.to_device(Device::Cpu)).unwrap();
    assert_near(&normalised, &expected, 1e-5, 1e-6);
    let back = (transform.invert(&normalised).unwrap() * 255.0).round().to_kind(Kind::Uint8);
    assert_eq!(back, bytes);
}

#[test]
#[ignore = "needs a CUDA device"]
fn the_same_seed_draws_the_same_numbers_again() {
    let draw = || {
        let _turn = seeded(11);
        let float = (Kind::Float, device());
        let noise = Tensor::randn([3, 5], float);
        let kept = Tensor::ones([4, 9], float).dropout(0.3, true);
        Tensor::cat(&[noise.view(-1), kept.view(-1)], 0)
    };
    let first = draw();
    assert_eq!(first, draw());
    let _turn = seeded(12);
    assert_ne!(first.narrow(0, 0, 15), Tensor::randn([15], (Kind::Float, device())));
}
