//! The same seed gives the numbers of PyTorch on the same card: the Python that has PyTorch computes
//! them here and now (`tests/python/device_numbers.py`).

use std::process::Command;

use blitz::prelude::*;
use serde_json::Value;

use crate::common::{crate_dir, floats, integers, python, values};
use crate::{device, formula_split, seeded};

/// What PyTorch computes for `task` on the device under test.
fn pytorch(task: &str) -> Value {
    let script = crate_dir().join("tests/python/device_numbers.py");
    let mut command = Command::new(python());
    let output = command.arg("-B").arg(script).arg(task).arg(device::name(device())).output();
    let output = output.expect("`cargo blitz setup` makes .venv");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[ignore = "needs a CUDA device"]
fn random_numbers_have_pytorchs_bits() {
    let expected = pytorch("random");
    let float = (Kind::Float, device());
    type Draw = fn((Kind, Device)) -> Tensor;
    let draws: [(&str, Draw); 7] = [
        ("rand", |float| Tensor::rand([5, 3], float)),
        ("randn", |float| Tensor::randn([7, 33], float)),
        ("randint", |(_, device)| Tensor::randint(10, [4, 6], (Kind::Int64, device))),
        ("randperm", |(_, device)| Tensor::randperm(50, (Kind::Int64, device))),
        ("bernoulli", |float| Tensor::full([4, 9], 0.3, float).bernoulli()),
        ("uniform_", |float| Tensor::empty([4, 5], float).uniform_(-2.0, 2.0)),
        ("dropout", |float| Tensor::ones([6, 7], float).dropout(0.3, true)),
    ];
    assert_eq!(expected.as_object().unwrap().len(), draws.len());
    for (name, draw) in draws {
        let _turn = seeded(1234);
        let drawn = draw(float);
        assert_eq!(drawn.device(), device());
        // As f32, which the numbers are: serde_json may miss the last bit of an f64.
        let bits = |numbers: Vec<f64>| numbers.iter().map(|x| *x as f32).collect::<Vec<_>>();
        assert_eq!(bits(values(&drawn)), bits(floats(&expected[name])), "{name}");
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn tensors_are_printed_as_by_python() {
    let device = device();
    let float = (Kind::Float, device);
    let matrix = || Tensor::arange(6, float).view([2, 3]);
    let with_grad = || matrix().set_requires_grad(true);
    let cases = [
        ("matrix", matrix()),
        ("whole", Tensor::arange(4, (Kind::Int64, device))),
        ("half", (Tensor::arange(5, float) / 4).to_kind(Kind::Half)),
        ("bool", matrix().gt(2)),
        ("scalar", Tensor::from(2.5f32).to_device(device)),
        ("leaf", with_grad()),
        ("computed", with_grad().relu()),
        ("empty", Tensor::zeros([0, 3], float)),
        ("large", Tensor::arange(3000, float).view([50, 60]) / 7),
        ("complex", Tensor::complex(&Tensor::arange(3, float), &(Tensor::arange(3, float) - 1))),
        ("sparse", matrix().to_sparse(None, None::<&[i64]>, None)),
    ];
    let expected = pytorch("printed");
    assert_eq!(expected.as_object().unwrap().len(), cases.len());
    for (name, tensor) in cases {
        assert_eq!(repr(&tensor).to_string(), expected[name].as_str().unwrap(), "{name}");
    }
}

/// Near, by the largest number of `expected`.
#[track_caller]
fn assert_close(what: &str, got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(0.0f64, |most, value| most.max(value.abs()));
    let apart = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart <= tolerance * scale, "{what}: {apart} apart of {scale}");
}

/// The tutorial's net from seed 0: forward, backward, and 60 steps of batches of 4, as the plain
/// step and as a graph. Both use the card's libraries, so only sums in another order differ.
#[test]
#[ignore = "needs a CUDA device"]
fn a_training_loses_what_it_loses_in_pytorch() {
    let expected = pytorch("training");
    for on_gpu in [OnGpu::OneByOne, OnGpu::Graph] {
        let _turn = seeded(0);
        let vs = nn::VarStore::new(device());
        let net = cifar10_net(&vs.root());
        let shuffle = Order::Shuffled { seed: 7 };
        let options = LoaderOptions { shuffle, device: device(), ..LoaderOptions::default() };
        let mut loader = DataLoader::new(&formula_split(120), options).unwrap();
        let sgd = SgdOptions { lr: 0.001, momentum: 0.9, ..SgdOptions::default() };
        let mut optimizer = Sgd::new(&vs, sgd).unwrap();
        let first = Normalize::default().apply(&formula_split(5).images.to_device(device()));
        let logits = net.forward(&first.unwrap());
        assert_close("logits", &values(&logits), &floats(&expected["logits"]), 1e-3);
        logits.square().mean(Kind::Float).backward();
        for (name, parameter) in named_parameters(&vs) {
            let gradient = &expected["gradients"][&name];
            assert_eq!(parameter.size(), integers(&gradient["shape"]), "{name}");
            let got = [parameter.grad().sum(Kind::Double), parameter.grad().norm()];
            let got: Vec<f64> = got.iter().map(|value| value.double_value(&[])).collect();
            assert_close(&name, &got, &floats(&gradient["sum and norm"]), 1e-2);
        }
        optimizer.zero_grad();
        let options = FitOptions { epochs: 2, report_every: 1, on_gpu, ..FitOptions::default() };
        let report = fit(&net, &mut optimizer, &mut loader, &options).unwrap();
        let losses: Vec<f64> = report.points.iter().map(|point| point.loss).collect();
        assert_close(&format!("{on_gpu:?}"), &losses, &floats(&expected["losses"]), 1e-3);
    }
}
