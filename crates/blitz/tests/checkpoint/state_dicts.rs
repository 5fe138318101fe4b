//! Parameters saved in Rust and loaded in Python, and the other way round; files that do not fit.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{self, difference, seeded, values};
use blitz::nn::VarStore;
use blitz::prelude::*;

/// Runs tests/python/state_dicts.py in the project's own Python.
fn python(task: &str, dir: &Path) {
    let script = common::crate_dir().join("tests/python/state_dicts.py");
    let output = Command::new(common::python()).arg("-B").arg(script).arg(task).arg(dir).output();
    let output = output.expect("`cargo blitz setup` makes .venv");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// 100 pictures by formula, normalised, and their labels, as state_dicts.py makes them.
fn images() -> (Tensor, Tensor) {
    let values = Tensor::arange(100 * 3 * 32 * 32, (Kind::Int64, Device::Cpu)) * 37;
    let images = values.remainder(251).to_kind(Kind::Uint8).view([100, 3, 32, 32]);
    let labels = (Tensor::arange(100, (Kind::Int64, Device::Cpu)) * 3).remainder(10);
    (Normalize::default().apply(&images).unwrap(), labels)
}

/// A tensor of each kind, as state_dicts.py makes them.
fn kinds() -> Vec<(&'static str, Tensor)> {
    let ramp = Tensor::arange(24, (Kind::Int64, Device::Cpu)).view([2, 3, 4]) - 7;
    let of = |kind| ramp.to_kind(kind);
    vec![
        ("float", of(Kind::Float) / 8),
        ("double.transposed", (of(Kind::Double) / 3).permute([2, 0, 1])),
        ("half", of(Kind::Half) / 8),
        ("bfloat16", of(Kind::BFloat16) / 8),
        ("long.part", ramp.get(1).narrow(1, 1, 2)),
        ("int", of(Kind::Int)),
        ("short", of(Kind::Int16)),
        ("char", of(Kind::Int8)),
        ("byte", ramp.abs().to_kind(Kind::Uint8)),
        ("bool", ramp.gt(0)),
        ("scalar", Tensor::from(2.5f32)),
        ("empty", Tensor::zeros([0, 3], (Kind::Float, Device::Cpu))),
    ]
}

/// A store of these tensors as buffers, which may have any kind and layout.
fn store(tensors: &[(&str, Tensor)]) -> VarStore {
    let vs = VarStore::new(Device::Cpu);
    for (name, tensor) in tensors {
        let (path, name) = match name.split_once('.') {
            Some((layer, name)) => (vs.root() / layer, name),
            None => (vs.root(), *name),
        };
        let _ = path.add(name, tensor.shallow_clone(), false);
    }
    vs
}

fn trained() -> (VarStore, CifarNet) {
    let vs = VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let mut optimizer = nn::sgd(0.9, 0.0, 0.0, false).build(&vs, 0.01).unwrap();
    let (images, labels) = images();
    optimizer.backward_step(&net.forward(&images).cross_entropy_for_logits(&labels));
    (vs, net)
}

fn bits(vs: &VarStore) -> Vec<(String, Vec<f64>)> {
    let mut all: Vec<_> =
        vs.variables().iter().map(|(name, tensor)| (name.clone(), values(tensor))).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

#[test]
fn python_computes_the_same_logits_with_what_rust_trained() {
    let _turn = seeded(0);
    let dir = tempfile::tempdir().unwrap();
    let (vs, net) = trained();
    let kinds = store(&kinds());
    let norm = VarStore::new(Device::Cpu);
    let mut layer = nn::batch_norm2d(norm.root(), 3, nn::BatchNormConfig::default());
    _ = layer.running_var.fill_(1.5);
    for extension in ["pth", "safetensors"] {
        checkpoint::save(&vs, dir.path().join(format!("net.{extension}"))).unwrap();
        checkpoint::save(&kinds, dir.path().join(format!("kinds.{extension}"))).unwrap();
        checkpoint::save(&norm, dir.path().join(format!("norm.{extension}"))).unwrap();
    }
    python("read", dir.path());
    let expected = values(&tch::no_grad(|| net.forward(&images().0)));
    let found = Tensor::read_safetensors(dir.path().join("logits.safetensors")).unwrap();
    assert_eq!(found.len(), 2);
    for (extension, logits) in found {
        assert_eq!(logits.size(), [100, 10]);
        assert!(difference(&values(&logits), &expected) < 1e-6, "{extension}");
    }
}

#[test]
fn rust_computes_the_same_logits_with_what_python_trained() {
    let _turn = seeded(0);
    let dir = tempfile::tempdir().unwrap();
    python("write", dir.path());
    let path = |name: &str| dir.path().join(name);
    let logits = Tensor::read_safetensors(path("logits.safetensors")).unwrap();
    for name in ["net.pth", "net.safetensors", "parameters.pth", "wrapped.pth", "old.pth"] {
        let mut vs = VarStore::new(Device::Cpu);
        let net = cifar10_net(&vs.root());
        checkpoint::load(&mut vs, path(name)).unwrap();
        let found = tch::no_grad(|| net.forward(&images().0));
        assert!(difference(&values(&found), &values(&logits[0].1)) < 1e-6, "{name}");
    }
    for name in ["kinds.pth", "kinds.safetensors"] {
        let expected = kinds();
        let zeros: Vec<_> =
            expected.iter().map(|(name, tensor)| (*name, tensor.zeros_like())).collect();
        let mut vs = store(&zeros);
        checkpoint::load(&mut vs, path(name)).unwrap();
        for (key, tensor) in expected {
            let found = &vs.variables()[key];
            assert_eq!(found.kind(), tensor.kind(), "{name} {key}");
            assert!(found.equal(&tensor), "{name} {key}");
        }
    }
    // A count that tch's batch normalisation does not have.
    let mut vs = VarStore::new(Device::Cpu);
    let _norm = nn::batch_norm2d(vs.root(), 3, nn::BatchNormConfig::default());
    checkpoint::load(&mut vs, path("norm.pth")).unwrap();
    checkpoint::load(&mut vs, path("norm.safetensors")).unwrap();

    let (mut vs, _) = trained();
    let before = bits(&vs);
    let mut refused = |name: &str| checkpoint::load(&mut vs, path(name)).unwrap_err().to_string();
    for (name, expected) in [
        ("module.pth", "make_reference.Net"),
        ("optimizer.pth", "\"state\" is a dict"),
        ("script.pth", "it has no parameter conv1.bias"),
    ] {
        let text = refused(name);
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("Nothing was loaded") && !text.contains('\n'), "{text}");
    }
    assert_eq!(bits(&vs), before);
}

const FORMATS: [&str; 3] = ["net.pth", "net.safetensors", "net.ot"];

#[test]
fn what_was_saved_comes_back_bit_for_bit_in_each_format() {
    let _turn = seeded(0);
    let dir = tempfile::tempdir().unwrap();
    let (vs, _) = trained();
    for name in FORMATS {
        let path = dir.path().join(name);
        checkpoint::save(&vs, &path).unwrap();
        let mut other = VarStore::new(Device::Cpu);
        cifar10_net(&other.root());
        assert_ne!(bits(&other), bits(&vs));
        checkpoint::load(&mut other, &path).unwrap();
        assert_eq!(bits(&other), bits(&vs), "{name}");
        assert!(other.trainable_variables().iter().all(Tensor::requires_grad));
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "a temporary file is left");
}

#[test]
fn a_file_of_another_net_is_refused_with_the_parameter_and_both_shapes() {
    let _turn = seeded(0);
    let dir = tempfile::tempdir().unwrap();
    let saved = VarStore::new(Device::Cpu);
    linear(saved.root() / "fc", 5, 3);
    for name in FORMATS {
        let path = dir.path().join(name);
        checkpoint::save(&saved, &path).unwrap();
        let message = |build: &dyn Fn(&nn::Path)| {
            let mut vs = VarStore::new(Device::Cpu);
            build(&vs.root());
            let before = bits(&vs);
            let text = checkpoint::load(&mut vs, &path).unwrap_err().to_string();
            assert_eq!(bits(&vs), before, "{text}");
            text
        };
        let text = message(&|root| drop(linear(root / "fc", 6, 3)));
        assert!(text.contains("fc.weight has shape [3, 5], expected [3, 6]"), "{text}");
        let text = message(&|root| drop(linear(root / "head", 5, 3)));
        assert!(text.contains("no parameter head.bias, expected of shape [3]"), "{text}");
        let text = message(&|_| ());
        assert!(text.contains("the net has no parameter fc.bias, found of shape [3]"), "{text}");
    }
}

#[test]
fn a_damaged_file_is_refused_and_nothing_is_loaded() {
    let _turn = seeded(0);
    let dir = tempfile::tempdir().unwrap();
    let saved = VarStore::new(Device::Cpu);
    linear(saved.root() / "fc", 50, 30);
    let mut vs = VarStore::new(Device::Cpu);
    linear(vs.root() / "fc", 50, 30);
    let before = bits(&vs);
    for name in FORMATS {
        let path = dir.path().join(name);
        checkpoint::save(&saved, &path).unwrap();
        let whole = fs::read(&path).unwrap();
        for length in [0, 3, 10, 200, whole.len() / 2, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            let text = checkpoint::load(&mut vs, &path).unwrap_err().to_string();
            assert!(text.contains(name) && text.contains("cannot be read"), "{length}: {text}");
            assert!(!text.contains('\n') && !text.contains("frame"), "{text}");
            assert_eq!(bits(&vs), before, "{length}: {text}");
        }
        fs::write(&path, b"not a checkpoint").unwrap();
        let text = checkpoint::load(&mut vs, &path).unwrap_err().to_string();
        assert!(text.contains("cannot be read") && !text.contains('\n'), "{text}");
    }
    // A byte of a parameter: .pth has a sum for each.
    let path = dir.path().join("net.pth");
    checkpoint::save(&saved, &path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let value = values(&saved.variables()["fc.weight"])[700] as f32;
    let place = bytes.windows(4).position(|window| window == value.to_le_bytes()).unwrap();
    bytes[place] ^= 1;
    fs::write(&path, bytes).unwrap();
    let text = checkpoint::load(&mut vs, &path).unwrap_err().to_string();
    assert!(text.contains("parameter fc.weight: record data/0"), "{text}");
    assert_eq!(bits(&vs), before);
}

#[test]
fn a_file_that_cannot_be_written_keeps_the_old_one() {
    let _turn = seeded(0);
    let dir = tempfile::tempdir().unwrap();
    let (mut vs, _) = trained();
    let path = dir.path().join("net.safetensors");
    checkpoint::save(&vs, &path).unwrap();
    let old = fs::read(&path).unwrap();
    // .pth has this kind, .safetensors has not.
    let complex = store(&[("z", Tensor::zeros([2], (Kind::ComplexDouble, Device::Cpu)))]);
    let text = checkpoint::save(&complex, &path).unwrap_err().to_string();
    assert!(text.contains("z: ComplexDouble") && text.contains(".pth"), "{text}");
    assert_eq!(fs::read(&path).unwrap(), old);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    let text = checkpoint::save(&vs, dir.path().join("none/net.pth")).unwrap_err().to_string();
    assert!(text.contains("could not write") && text.contains("none/net.pth"), "{text}");
    let text = checkpoint::save(&vs, dir.path().join("net.pickle")).unwrap_err().to_string();
    assert!(text.contains(".safetensors, .pth or .ot"), "{text}");
    let text = checkpoint::load(&mut vs, dir.path().join("none.ot")).unwrap_err().to_string();
    assert!(text.contains("none.ot is missing"), "{text}");
}
