//! The part of the images that each rank sees, against PyTorch's DistributedSampler.

use blitz::prelude::*;
use serde_json::Value;

use super::collectives::group;
use crate::common::world::World;
use crate::common::{integers, numbered_split, reference};

/// The loader of a case, with one image a batch.
fn loader(case: &Value, group: &ProcessGroup, batch_size: i64) -> DataLoader {
    let shuffle = match case["shuffle"].as_bool().unwrap() {
        true => Order::Shuffled { seed: case["seed"].as_u64().unwrap() },
        false => Order::Sequential,
    };
    let tail = if case["drop_last"].as_bool().unwrap() { Tail::Drop } else { Tail::Pad };
    let sampler = Some(DistributedSampler { group: group.clone(), tail });
    let split = numbered_split(case["images"].as_i64().unwrap());
    let options = LoaderOptions { batch_size, shuffle, sampler, ..LoaderOptions::default() };
    DataLoader::new(&split, options).unwrap()
}

/// Which pictures the batches of an epoch hold: every byte of picture i is i.
fn pictures(loader: &mut DataLoader) -> Vec<i64> {
    let number =
        |images: &Tensor| ((images.select(1, 0).select(1, 0).select(1, 0) + 1.0) * 127.5).round();
    let numbers: Vec<Tensor> = loader.epoch().map(|batch| number(&batch.images)).collect();
    Vec::try_from(Tensor::cat(&numbers, 0).to_kind(Kind::Int64)).unwrap()
}

fn cases(world_size: usize) -> Vec<Value> {
    let reference = reference("sampler");
    let cases = reference["cases"].as_array().unwrap().iter();
    cases.filter(|case| case["world_size"] == world_size).cloned().collect()
}

#[test]
fn parts_are_pytorchs() {
    for size in [2, 3, 4, 5] {
        World::of(size).with("PARTS", &size.to_string()).succeeds(module_path!(), "takes_its_part");
    }
    check(&ProcessGroup::alone(Device::Cpu));
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn takes_its_part() {
    check(&group());
}

fn check(group: &ProcessGroup) {
    let cases = cases(group.world_size());
    assert!(cases.len() >= 4);
    for case in &cases {
        let of_epoch = |epoch: usize| integers(&case["epochs"][epoch][group.rank()]);
        if of_epoch(0).is_empty() {
            continue;
        }
        let mut one = loader(case, group, 1);
        for epoch in 0..3 {
            assert_eq!(one.len(), of_epoch(epoch).len());
            assert_eq!(pictures(&mut one), of_epoch(epoch), "{case}, epoch {epoch}");
        }
        // A loader that is resumed in the middle of its second epoch.
        let mut first = loader(case, group, 1);
        first.epoch().for_each(drop);
        let mut epoch = first.epoch();
        let taken = epoch.next().is_some() as usize;
        let state = epoch.state();
        let mut resumed = loader(case, group, 1);
        resumed.resume(&state).unwrap();
        let expected: Vec<i64> = match taken < of_epoch(1).len() {
            true => of_epoch(1)[taken..].to_vec(),
            false => of_epoch(2),
        };
        assert_eq!(pictures(&mut resumed), expected, "{case}");
    }
}

#[test]
fn what_cannot_be_shared_out_is_refused() {
    for ended in World::of(4).succeeds(module_path!(), "has_too_little") {
        let message = ended.value("few");
        assert!(message.contains("an image for each of the 4 ranks, got 3 images"), "{message}");
        assert!(ended.value("batch").contains("option batch_size must be at most 2"));
        let message = ended.value("other");
        for expected in ["8 images in a step of all processes, Pad", "batch size 2"] {
            assert!(message.contains(expected), "{message}");
        }
    }
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn has_too_little() {
    let group = group();
    let refused = |images: i64, batch_size: i64| {
        let sampler = Some(DistributedSampler::new(&group));
        let options = LoaderOptions { batch_size, sampler, ..LoaderOptions::default() };
        DataLoader::new(&numbered_split(images), options).unwrap_err()
    };
    println!("\nfew={}", refused(3, 1));
    println!("batch={}", refused(8, 3));
    // The position of a training without a sampler.
    let alone = DataLoader::new(
        &numbered_split(8),
        LoaderOptions { batch_size: 2, ..LoaderOptions::default() },
    );
    let sampler = Some(DistributedSampler::new(&group));
    let options = LoaderOptions { batch_size: 2, sampler, ..LoaderOptions::default() };
    let mut own = DataLoader::new(&numbered_split(8), options).unwrap();
    println!("other={}", own.resume(&alone.unwrap().state()).unwrap_err());
}

#[test]
fn augmentation_and_predictions_do_not_depend_on_the_number_of_ranks() {
    World::of(3).succeeds(module_path!(), "is_part_of_the_whole");
}

#[test]
#[ignore = "started by another test, once for each rank"]
fn is_part_of_the_whole() {
    let group = group();
    let split = crate::common::formula_split(10);
    let augment = Augment { flip: 0.5, crop_padding: 4, seed: 5 };
    let options =
        |sampler| LoaderOptions { batch_size: 1, augment, sampler, ..LoaderOptions::default() };
    let alone = ProcessGroup::alone(Device::Cpu);
    let mut whole =
        DataLoader::new(&split, options(Some(DistributedSampler::new(&alone)))).unwrap();
    let mut part = DataLoader::new(&split, options(Some(DistributedSampler::new(&group)))).unwrap();
    let whole: Vec<Batch> = whole.epoch().collect();
    for (index, batch) in part.epoch().enumerate() {
        let place = index * 3 + group.rank();
        if place < 10 {
            assert!(batch.images.equal(&whole[place].images), "place {place}");
        }
    }
    // A net that is the same on all ranks: predictions are those of the whole, for each tail.
    tch::manual_seed(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let loader = |sampler| {
        let options = LoaderOptions { batch_size: 2, sampler, ..LoaderOptions::default() };
        DataLoader::new(&split, options).unwrap()
    };
    let expected = predict(&net, &mut loader(None), &CLASSES).unwrap();
    for tail in [Tail::Pad, Tail::Keep, Tail::Drop] {
        let sampler = Some(DistributedSampler { group: group.clone(), tail });
        let got = predict(&net, &mut loader(sampler.clone()), &CLASSES).unwrap();
        let count = if tail == Tail::Drop { 9 } else { 10 };
        assert!(got.labels.equal(&expected.labels.narrow(0, 0, count)), "{tail:?}");
        let rows = expected.probabilities.narrow(0, 0, count);
        assert!(got.probabilities.allclose(&rows, 1e-6, 1e-7, false), "{tail:?}");
        let evaluation = evaluate(&net, &mut loader(sampler), &CLASSES).unwrap();
        assert_eq!(evaluation.total(), count as u64);
    }
}
