//! DataParallel: one net on several devices of one process, against PyTorch on one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use blitz::prelude::*;
use blitz::tch::nn::{ModuleT, Path, VarStore};
use blitz::tch::{self, Kind, Tensor};

use crate::common::{difference, floats, formula_split, integers, reference, seeded, values};

const TWO: [Device; 2] = [Device::Cpu; 2];

/// What each forward pass saw: rows, whether it trains, whether it records gradients.
type Seen = Arc<Mutex<Vec<(i64, bool, bool)>>>;

/// The optional page's model, which tells what it sees.
#[derive(Debug)]
struct Model {
    fc: Linear,
    seen: Seen,
}

impl Model {
    fn new(path: &Path, seen: &Seen) -> Model {
        Model { fc: linear(path / "fc", 5, 2), seen: seen.clone() }
    }
}

impl ModuleT for Model {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let output = self.fc.forward(xs);
        self.seen.lock().unwrap().push((xs.size()[0], train, output.requires_grad()));
        output
    }
}

/// `wave` of make_data_parallel.py.
fn wave(rows: i64) -> Tensor {
    let numbers = (Tensor::arange(rows * 5, (Kind::Int64, Device::Cpu)) * 37).remainder(101);
    (numbers.to_kind(Kind::Float) / 50.0 - 1.0).view([rows, 5])
}

fn store() -> VarStore {
    VarStore::new(Device::Cpu)
}

fn gradients(vs: &VarStore) -> Vec<Vec<f64>> {
    named_parameters(vs).iter().map(|(_, parameter)| values(&parameter.grad())).collect()
}

/// The message of the error that making a net gave.
fn refusal<M: std::fmt::Debug>(made: blitz::Result<DataParallel<M>>) -> String {
    made.expect_err("this cannot be made").to_string()
}

#[test]
fn training_has_the_numbers_of_one_device() {
    let expected = reference("data_parallel");
    for devices in 1..=3 {
        let _turn = seeded(0);
        let vs = store();
        let seen = Seen::default();
        let make = |path: &Path| Model::new(path, &seen);
        let model = DataParallel::new(&vs, &vec![Device::Cpu; devices], make).unwrap();
        let drawn = Tensor::rand([3], (Kind::Float, Device::Cpu));
        // Reading JSON rounds f64 at times, by less than f32 can tell.
        let apart = difference(&values(&drawn), &floats(&expected["drawn_next"]));
        assert!(apart < 1e-9, "{devices} devices: {apart}");
        let options = SgdOptions { lr: 0.1, momentum: 0.9, ..Default::default() };
        let mut optimizer = Sgd::new(&vs, options).unwrap();
        for batch in expected["batches"].as_array().unwrap() {
            optimizer.zero_grad();
            let output = model.forward_t(&wave(batch["rows"].as_i64().unwrap()), true);
            output.square().mean(Kind::Float).backward();
            assert!(difference(&values(&output), &floats(&batch["output"])) < 1e-6);
            for (got, expected) in gradients(&vs).iter().zip(batch["gradients"].as_array().unwrap())
            {
                assert!(difference(got, &floats(expected)) < 1e-6, "{devices} devices: {got:?}");
            }
            optimizer.step().unwrap();
        }
    }
}

#[test]
fn batches_are_cut_as_torch_chunk_does() {
    let _turn = seeded(0);
    for case in reference("data_parallel")["chunks"].as_array().unwrap() {
        let seen = Seen::default();
        let devices = vec![Device::Cpu; case["devices"].as_u64().unwrap() as usize];
        let model = DataParallel::new(&store(), &devices, |path| Model::new(path, &seen)).unwrap();
        let output = model.forward_t(&wave(case["rows"].as_i64().unwrap()), true);
        assert_eq!(output.size(), [case["rows"].as_i64().unwrap(), 2]);
        // The threads end in any order.
        let mut rows: Vec<i64> = seen.lock().unwrap().iter().map(|(rows, ..)| *rows).collect();
        rows.sort_by_key(|rows| -rows);
        assert_eq!(rows, integers(&case["parts"]), "{case}");
    }
    let seen = Seen::default();
    let model = DataParallel::new(&store(), &TWO, |path| Model::new(path, &seen)).unwrap();
    assert_eq!(model.forward_t(&wave(0), true).size(), [0, 2]);
}

#[test]
fn modes_cross_into_the_threads() {
    let _turn = seeded(0);
    let seen = Seen::default();
    let model = DataParallel::new(&store(), &TWO, |path| Model::new(path, &seen)).unwrap();
    for (train, learns) in [(true, true), (false, true), (false, false), (true, true)] {
        let forward = || model.forward_t(&wave(4), train);
        let output = if learns { forward() } else { tch::no_grad(forward) };
        assert_eq!(output.requires_grad(), learns);
        let seen = std::mem::take(&mut *seen.lock().unwrap());
        assert_eq!(seen, [(2, train, learns); 2]);
    }
}

/// Several passes before a backward pass, evaluation in between, frozen and loaded parameters.
#[test]
fn copies_follow_the_original() {
    let _turn = seeded(0);
    let vs = store();
    let model = DataParallel::new(&vs, &TWO, |path| linear(path / "fc", 5, 2)).unwrap();
    let loss = |output: Tensor| output.square().sum(Kind::Float);
    let check = |place: &str| {
        let one = model.net().forward(&wave(6));
        let both = model.forward_t(&wave(6), true);
        assert!(difference(&values(&both), &values(&one)) < 1e-6, "{place}");
    };
    let (first, second) = (model.forward_t(&wave(6), true), model.forward_t(&wave(6), true));
    drop(tch::no_grad(|| model.forward_t(&wave(6), false)));
    loss(first).backward();
    let once = gradients(&vs);
    loss(second).backward();
    loss(model.forward_t(&wave(6), true)).backward();
    for (three, once) in gradients(&vs).iter().zip(&once) {
        let expected: Vec<f64> = once.iter().map(|value| 3.0 * value).collect();
        assert!(difference(three, &expected) < 1e-4);
    }
    Sgd::new(&vs, SgdOptions { lr: 0.1, ..Default::default() }).unwrap().step().unwrap();
    check("after a step");
    let directory = std::env::temp_dir().join(format!("data_parallel_{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("net.safetensors");
    checkpoint::save(&vs, &path).unwrap();
    let saved = values(&model.forward_t(&wave(6), true));
    drop(tch::no_grad(|| model.net().weight.shallow_clone().zero_()));
    check("after a change in place");
    let mut vs = vs;
    checkpoint::load(&mut vs, &path).unwrap();
    std::fs::remove_dir_all(directory).unwrap();
    assert_eq!(values(&model.forward_t(&wave(6), true)), saved);
    vs.freeze();
    assert!(!model.forward_t(&wave(6), true).requires_grad());
    vs.unfreeze();
    assert!(model.forward_t(&wave(6), true).requires_grad());
    vs.double();
    assert_eq!(model.forward_t(&wave(6).to_kind(Kind::Double), true).kind(), Kind::Double);
}

#[test]
fn buffers_keep_what_the_first_part_made_of_them() {
    let _turn = seeded(0);
    let make = |path: &Path| tch::nn::batch_norm1d(path / "bn", 5, Default::default());
    let (vs, first_part) = (store(), store());
    let model = DataParallel::new(&vs, &TWO, make).unwrap();
    let alone = make(&first_part.root());
    for _ in 0..2 {
        drop(model.forward_t(&wave(6), true));
        drop(alone.forward_t(&wave(6).narrow(0, 0, 3), true));
    }
    let buffer = |vs: &VarStore| values(&vs.variables()["bn.running_mean"]);
    assert_eq!(buffer(&vs), buffer(&first_part));
    // All replicas evaluate with them.
    let (both, one) = (model.forward_t(&wave(6), false), model.net().forward_t(&wave(6), false));
    assert!(difference(&values(&both), &values(&one)) < 1e-6);
}

#[test]
fn it_is_printed_and_summed_up() {
    let _turn = seeded(0);
    let vs = store();
    let seen = Seen::default();
    let model = DataParallel::new(&vs, &TWO, |path| Model::new(path, &seen)).unwrap();
    let printed = reference("data_parallel")["printed"].as_str().unwrap().to_owned();
    assert_eq!(describe(&model).to_string(), printed);
    assert_eq!(model.devices().len(), 2);
    let summary = summary(&model, &vs, &wave(4)).unwrap();
    assert_eq!(summary.parameters, 12);
    assert!(summary.rows.iter().any(|row| row.name == "fc" && row.output == [2, 2]), "{summary}");
    assert_eq!(count_parameters(&vs), 12);
}

#[test]
fn what_cannot_be_made_is_refused() {
    let _turn = seeded(0);
    let make = |path: &Path| linear(path / "fc", 5, 2);
    assert!(refusal(DataParallel::new(&store(), &[], make)).contains("at least one device"));
    let message = refusal(DataParallel::new(&store(), &[Device::Cpu, Device::Cuda(99)], make));
    assert!(message.contains("cuda:99"), "{message}");
    let vs = store();
    drop(make(&vs.root()));
    let message = refusal(DataParallel::new(&vs, &TWO, make));
    assert!(message.contains("empty VarStore") && message.contains('2'), "{message}");
    let count = Mutex::new(0);
    for (name, sizes) in [("other", [5, 2]), ("fc", [5, 3])] {
        *count.lock().unwrap() = 0;
        let changing = |path: &Path| {
            let mut made = count.lock().unwrap();
            *made += 1;
            match *made {
                1 => linear(path / "fc", 5, 2),
                _ => linear(path / name, sizes[0], sizes[1]),
            }
        };
        let message = refusal(DataParallel::new(&store(), &TWO, changing));
        assert!(message.contains("same variables") && message.contains("fc."), "{message}");
    }
}

/// Panics in the threads alone: those have a name of their own.
#[derive(Debug)]
struct Fails(&'static str, Linear);

impl ModuleT for Fails {
    fn forward_t(&self, xs: &Tensor, _: bool) -> Tensor {
        let is_replica = std::thread::current().name().is_some_and(|n| n.starts_with("replica"));
        if is_replica && self.0 == "interrupted" {
            std::panic::resume_unwind(Box::new("interrupted"));
        }
        assert!(!is_replica || self.0.is_empty(), "{}", self.0);
        self.1.forward(xs)
    }
}

#[test]
fn a_panic_of_a_replica_names_it() {
    let _turn = seeded(0);
    for reason in ["it does not fit", "interrupted"] {
        let make = |path: &Path| Fails(reason, linear(path / "fc", 5, 2));
        let model = DataParallel::new(&store(), &TWO, make).unwrap();
        for _ in 0..2 {
            let forward = AssertUnwindSafe(|| drop(model.forward_t(&wave(4), true)));
            let payload = catch_unwind(forward).expect_err("the replica panics");
            if reason == "interrupted" {
                assert_eq!(payload.downcast_ref::<&str>(), Some(&"interrupted"));
                continue;
            }
            let message = payload.downcast_ref::<String>().expect("a message");
            assert!(message.contains("replica 1 of DataParallel"), "{message}");
            assert!(message.contains("on cpu") && message.contains(reason), "{message}");
        }
        // One part: the first net, which goes on.
        assert_eq!(model.forward_t(&wave(1), true).size(), [1, 2]);
    }
}

#[test]
fn fit_trains_a_net_on_several_devices_as_on_one() {
    let losses = |devices: &[Device]| -> Vec<f64> {
        let _turn = seeded(0);
        let vs = nn::VarStore::new(Device::Cpu);
        let net = DataParallel::new(&vs, devices, cifar10_net).unwrap();
        let sgd = SgdOptions { lr: 0.01, momentum: 0.9, ..SgdOptions::default() };
        let mut optimizer = Sgd::new(&vs, sgd).unwrap();
        let options = LoaderOptions { batch_size: 4, ..LoaderOptions::default() };
        let mut train_loader = DataLoader::new(&formula_split(20), options).unwrap();
        let options = FitOptions { epochs: 2, report_every: 1, ..FitOptions::default() };
        let report = fit(&net, &mut optimizer, &mut train_loader, &options).unwrap();
        report.points.iter().map(|point| point.loss).collect()
    };
    let (one, two) = (losses(&[Device::Cpu]), losses(&[Device::Cpu, Device::Cpu]));
    assert_eq!((one.len(), two.len()), (10, 10));
    for (one, two) in one.iter().zip(&two) {
        assert!((one - two).abs() < 1e-4, "{one} and {two}");
    }
}
