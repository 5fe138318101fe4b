//! Files written from the device and read on the CPU, and the other way round; checkpoints.

use std::fs;

use blitz::nn::{ModuleT, VarStore};
use blitz::prelude::*;

use crate::{assert_near, common, device, formula_split, seeded};

#[test]
#[ignore = "needs a CUDA device"]
fn a_net_saved_on_the_device_has_its_bits_on_the_cpu_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let (saved, _net) = common::steps::net(device());
    for name in ["net.pth", "net.safetensors", "net.ot"] {
        let path = dir.path().join(name);
        checkpoint::save(&saved, &path).unwrap();
        for target in [Device::Cpu, device()] {
            let mut loaded = VarStore::new(target);
            let _ = cifar10_net(&loaded.root());
            checkpoint::load(&mut loaded, &path).unwrap();
            for (name, tensor) in named_parameters(&loaded) {
                assert_eq!(tensor.device(), target, "{name}");
                let expected = saved.variables()[&name].detach().to_device(Device::Cpu);
                assert_eq!(tensor.detach().to_device(Device::Cpu), expected, "{name}");
            }
        }
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn a_file_does_not_say_that_it_was_written_on_a_gpu() {
    let dir = tempfile::tempdir().unwrap();
    let (saved, _net) = common::steps::net(device());
    for name in ["net.pth", "net.safetensors"] {
        checkpoint::save(&saved, dir.path().join(name)).unwrap();
        let bytes = fs::read(dir.path().join(name)).unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"cuda"), "{name}");
    }
}

/// A net that draws random numbers on its device, and has buffers.
#[derive(Debug)]
struct Net {
    norm: nn::BatchNorm,
    fc: Linear,
}

impl ModuleT for Net {
    fn forward_t(&self, images: &Tensor, train: bool) -> Tensor {
        let images = images.apply_t(&self.norm, train).dropout(0.4, train);
        images.flatten(1, -1).apply(&self.fc)
    }
}

struct Run {
    vs: VarStore,
    net: Net,
    optimizer: Sgd,
    loader: DataLoader,
}

impl Run {
    fn new(device: Device) -> Run {
        let vs = VarStore::new(device);
        let root = vs.root();
        let net = Net {
            norm: nn::batch_norm2d(&root / "norm", 3, nn::BatchNormConfig::default()),
            fc: linear(&root / "fc", 3 * 32 * 32, 10),
        };
        let sgd = SgdOptions { lr: 0.005, momentum: 0.9, ..SgdOptions::default() };
        let optimizer = Sgd::new(&vs, sgd).unwrap();
        let shuffle = Order::Shuffled { seed: 3 };
        let options = LoaderOptions { shuffle, device, ..LoaderOptions::default() };
        let loader = DataLoader::new(&formula_split(43), options).unwrap();
        Run { vs, net, optimizer, loader }
    }

    fn options(&self, dir: &std::path::Path, epochs: usize) -> FitOptions {
        let checkpoint = Some(CheckpointOptions::new(dir, &self.vs));
        FitOptions { epochs, checkpoint, report_every: 5, ..FitOptions::default() }
    }
}

/// The generator of the device is part of a checkpoint: without it, dropout would differ.
#[test]
#[ignore = "needs a CUDA device"]
fn a_training_with_dropout_goes_on_with_the_same_random_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let (whole_dir, half_dir) = (dir.path().join("whole"), dir.path().join("half"));
    let _turn = seeded(7);
    let mut whole = Run::new(device());
    let options = whole.options(&whole_dir, 3);
    let expected = fit(&whole.net, &mut whole.optimizer, &mut whole.loader, &options).unwrap();

    tch::manual_seed(7);
    let mut half = Run::new(device());
    let options = half.options(&half_dir, 1);
    fit(&half.net, &mut half.optimizer, &mut half.loader, &options).unwrap();

    tch::manual_seed(99);
    let mut resumed = Run::new(device());
    let options = resumed.options(&half_dir, 3);
    let report =
        resume(&resumed.net, &mut resumed.optimizer, &mut resumed.loader, &options).unwrap();
    assert_eq!(report.steps, expected.steps);
    for (got, expected) in report.epochs.iter().zip(&expected.epochs) {
        assert!((got.loss / expected.loss - 1.0).abs() < 1e-4, "{got:?} {expected:?}");
    }
    for (name, tensor) in named_parameters(&whole.vs) {
        assert_near(&resumed.vs.variables()[&name], &tensor, 1e-3, 1e-5);
    }
    // Other random numbers would have given others.
    tch::manual_seed(8);
    let mut other = Run::new(device());
    let options = FitOptions { epochs: 1, ..FitOptions::default() };
    let other = fit(&other.net, &mut other.optimizer, &mut other.loader, &options).unwrap();
    assert!((other.epochs[0].loss / expected.epochs[0].loss - 1.0).abs() > 1e-4);
}

#[test]
#[ignore = "needs a CUDA device"]
fn a_training_of_the_device_goes_on_on_the_cpu() {
    let dir = tempfile::tempdir().unwrap();
    let _turn = seeded(7);
    let mut first = Run::new(device());
    let options = first.options(dir.path(), 1);
    fit(&first.net, &mut first.optimizer, &mut first.loader, &options).unwrap();
    let mut second = Run::new(Device::Cpu);
    let options = second.options(dir.path(), 2);
    let report = resume(&second.net, &mut second.optimizer, &mut second.loader, &options).unwrap();
    assert_eq!(report.steps, 22);
    assert!(report.epochs.iter().all(|epoch| epoch.loss.is_finite()));
}
