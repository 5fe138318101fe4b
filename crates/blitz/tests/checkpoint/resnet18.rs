//! torchvision's ResNet-18, loaded into tch's.

use std::process::Command;

use crate::common::{self, difference, seeded, values};
use blitz::prelude::*;
use nn::ModuleT;

/// Two pictures by formula, as resnet18.py makes them.
fn images() -> Tensor {
    let values = Tensor::arange(2 * 3 * 64 * 48, (Kind::Int64, Device::Cpu)) * 37;
    values.remainder(251).view([2, 3, 64, 48]).to_kind(Kind::Float) / 125 - 1
}

#[test]
fn torchvisions_resnet18_computes_in_tch_what_it_computes_in_python() {
    let _turn = seeded(0);
    let dir = tempfile::tempdir().unwrap();
    let script = common::crate_dir().join("tests/python/resnet18.py");
    let output = Command::new(common::python()).arg("-B").arg(script).arg(dir.path()).output();
    let output = output.expect("`cargo blitz setup` makes .venv");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let logits = Tensor::read_safetensors(dir.path().join("logits.safetensors")).unwrap();
    let expected = values(&logits[0].1);
    assert_eq!(logits[0].1.size(), [2, 1000]);
    let mut vs = nn::VarStore::new(Device::Cpu);
    let net = tch::vision::resnet::resnet18(&vs.root(), 1000);
    let computed = || {
        let train = false;
        values(&tch::no_grad(|| net.forward_t(&images(), train)))
    };
    let parameters: Vec<Tensor> = named_parameters(&vs).into_iter().map(|(_, p)| p).collect();
    for name in ["resnet18.pth", "resnet18.safetensors", "older.pth", "parallel.pth"] {
        for parameter in &parameters {
            let _ = tch::no_grad(|| parameter.shallow_clone().fill_(0.5));
        }
        assert!(difference(&computed(), &expected) > 0.1, "{name} would change nothing");
        checkpoint::load(&mut vs, dir.path().join(name)).unwrap();
        let difference = difference(&computed(), &expected);
        assert!(difference < 1e-4, "{name}: {difference}");
    }
    for (name, unknown) in [
        ("stray.pth", "no parameter num_batches_tracked, found of shape []"),
        ("shape.pth", "no parameter bn1.num_batches_tracked, found of shape [64]"),
    ] {
        let text = checkpoint::load(&mut vs, dir.path().join(name)).unwrap_err().to_string();
        assert!(text.contains(unknown), "{name}: {text}");
    }
    assert!(difference(&computed(), &expected) < 1e-4, "a refused file changed the net");
}
