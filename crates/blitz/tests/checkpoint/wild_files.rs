//! Files of parameters as they are found in the world: each is read as PyTorch reads it, or refused
//! by its name with what helps. tests/python/wild_files.py makes them, and says what is expected.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common;
use blitz::nn::VarStore;
use blitz::prelude::*;
use serde_json::{Value, json};

/// Runs tests/python/wild_files.py in the project's own Python.
fn python(task: &str, dir: &Path) {
    let script = common::crate_dir().join("tests/python/wild_files.py");
    let output = Command::new(common::python()).arg("-B").arg(script).arg(task).arg(dir).output();
    let output = output.expect("`cargo blitz setup` makes .venv");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

pub fn sizes(value: &Value) -> Vec<i64> {
    value.as_array().unwrap().iter().map(|size| size.as_i64().unwrap()).collect()
}

/// Parameters of these names and shapes, each filled with a number that no file has.
fn store(tensors: &Value) -> VarStore {
    let vs = VarStore::new(Device::Cpu);
    for (name, tensor) in tensors.as_object().unwrap() {
        let kind = match tensor["kind"].as_str() {
            Some("complex") => Kind::ComplexDouble,
            _ => Kind::Double,
        };
        add(&vs, name, &Tensor::full(sizes(&tensor["shape"]), 77, (kind, Device::Cpu)));
    }
    vs
}

/// Adds a buffer, which shares its memory with `tensor`.
pub fn add(vs: &VarStore, name: &str, tensor: &Tensor) {
    let mut path = vs.root();
    let mut parts: Vec<&str> = name.split('.').collect();
    let last = parts.pop().unwrap();
    for part in parts {
        path = path / part;
    }
    let _ = path.add(last, tensor.shallow_clone(), false);
}

/// The numbers as wild_files.py lists them: their bits, in hexadecimal digits.
pub fn listed(tensor: &Tensor) -> Vec<Value> {
    let number = |number: f64| match number.is_nan() {
        true => json!("nan"),
        false => json!(format!("{:016x}", number.to_bits())),
    };
    let list = |tensor: Tensor| -> Vec<f64> {
        Vec::try_from(tensor.to_kind(Kind::Double).contiguous().view(-1)).unwrap()
    };
    match tensor.kind() {
        Kind::ComplexHalf | Kind::ComplexFloat | Kind::ComplexDouble => {
            let whole = tensor.to_kind(Kind::ComplexDouble).contiguous();
            let parts = list(whole.view_as_real());
            parts.chunks(2).map(|pair| json!([number(pair[0]), number(pair[1])])).collect()
        }
        _ => list(tensor.shallow_clone()).into_iter().map(number).collect(),
    }
}

fn check_read(dir: &Path, case: &Value) -> Result<(), String> {
    let file = case["file"].as_str().unwrap();
    let option = |name: &str| case[name].as_str().map(str::to_owned);
    let (key, prefix) = (option("key"), option("prefix"));
    let options = LoadOptions { key, prefix, ..LoadOptions::default() };
    let mut vs = store(&case["tensors"]);
    let all = |vs: &VarStore| -> BTreeMap<_, _> {
        vs.variables().iter().map(|(name, tensor)| (name.clone(), listed(tensor))).collect()
    };
    let before = all(&vs);
    let loaded = checkpoint::load_with(&mut vs, dir.join(file), &options);
    match (loaded, case["refused"].as_array()) {
        (Ok(report), None) => {
            if report.loaded.len() != vs.len() || !report.is_whole() {
                return Err(format!("{file}: {report}"));
            }
            for (name, expected) in case["tensors"].as_object().unwrap() {
                let found = listed(&vs.variables()[name]);
                if json!(found) != expected["values"] {
                    let expected = &expected["values"];
                    return Err(format!("{file}: {name} is {found:?}, expected {expected}"));
                }
            }
            Ok(())
        }
        (Err(error), Some(words)) => {
            let text = error.to_string();
            let lacks = words.iter().find(|word| !text.contains(word.as_str().unwrap()));
            if let Some(word) = lacks {
                return Err(format!("{file}: no {word} in: {text}"));
            }
            if text.contains('\n') || text.contains("frame") || text.contains(",,") {
                return Err(format!("{file}: {text}"));
            }
            match before == all(&vs) {
                true => Ok(()),
                false => Err(format!("{file}: something was loaded, but {text}")),
            }
        }
        (Ok(_), Some(_)) => Err(format!("{file}: was loaded, but is to be refused")),
        (Err(error), None) => Err(format!("{file}: {error}")),
    }
}

#[test]
fn files_from_elsewhere_are_read_as_pytorch_reads_them_or_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    python("write", dir.path());
    let cases = fs::read(dir.path().join("expected.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_slice(&cases).unwrap();
    assert!(cases.len() > 150, "{}", cases.len());
    let failures: Vec<_> =
        cases.iter().filter_map(|case| check_read(dir.path(), case).err()).collect();
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// Tensors whose memory is not what they are, and those of kinds that are rare.
fn tensors() -> Vec<(&'static str, Tensor)> {
    let ramp = Tensor::arange(6, (Kind::Float, Device::Cpu)).view([2, 3]);
    let z = Tensor::complex(&ramp, &(&ramp + 1));
    let tied = &ramp / 4;
    vec![
        ("imag", z.conj().imag()),
        ("neg", (&ramp + 1).internal_neg_view()),
        ("neg.part", (&ramp + 1).internal_neg_view().narrow(1, 1, 2)),
        ("conj", z.conj()),
        ("conj.turned", z.conj().tr()),
        ("expanded", Tensor::from_slice(&[1f32, 2.0]).view([2, 1]).expand([2, 4], false)),
        ("eighth", ramp.to_kind(Kind::Float8e4m3fn)),
        ("eighth.wide", ramp.to_kind(Kind::Float8e5m2)),
        ("empty", Tensor::zeros([0, 3], (Kind::Float, Device::Cpu))),
        ("empty.too", Tensor::zeros([0, 5], (Kind::Float, Device::Cpu))),
        ("tied.one", tied.shallow_clone()),
        ("tied.two", tied),
    ]
}

#[test]
fn what_is_saved_is_what_the_tensors_are_and_not_their_memory() {
    let dir = tempfile::tempdir().unwrap();
    let all = tensors();
    let vs = VarStore::new(Device::Cpu);
    all.iter().for_each(|(name, tensor)| add(&vs, name, tensor));
    let mut written = serde_json::Map::new();
    let expected: serde_json::Map<_, _> = all
        .iter()
        .map(|(name, tensor)| {
            let plain = tensor.resolve_conj().resolve_neg();
            (name.to_string(), json!({"shape": tensor.size(), "values": listed(&plain)}))
        })
        .collect();
    for name in
        ["net.pth", "net.safetensors", "net.ot", "NET.PTH.tar", "net.BIN", "net.SafeTensors"]
    {
        checkpoint::save(&vs, dir.path().join(name)).unwrap();
        if !name.contains("SafeTensors") {
            written.insert(name.to_owned(), json!(expected));
        }
        let mut other = VarStore::new(Device::Cpu);
        for (name, tensor) in &all {
            let size = tensor.size();
            add(&other, name, &Tensor::zeros(size, (tensor.kind(), Device::Cpu)));
        }
        checkpoint::load(&mut other, dir.path().join(name)).unwrap();
        for (key, expected) in &expected {
            assert_eq!(json!(listed(&other.variables()[key])), expected["values"], "{name} {key}");
        }
    }
    fs::write(dir.path().join("written.json"), json!(written).to_string()).unwrap();
    python("read", dir.path());
}

#[test]
fn what_no_file_holds_is_refused_by_its_name_when_saving() {
    let dir = tempfile::tempdir().unwrap();
    let ramp = Tensor::arange(6, (Kind::Float, Device::Cpu)).view([2, 3]);
    let bad = [
        ("fc.coo", ramp.to_sparse_sparse_dim(2), "to_dense"),
        ("fc.csr", ramp.to_sparse_csr(None), "to_dense"),
        ("fc.quantised", ramp.quantize_per_tensor(0.1, 0, Kind::QInt8), "dequantize"),
    ];
    for (name, tensor, helps) in bad {
        let vs = VarStore::new(Device::Cpu);
        vs.variables_.lock().unwrap().named_variables.insert(name.to_owned(), tensor);
        for file in ["net.pth", "net.safetensors", "net.ot"] {
            let text = checkpoint::save(&vs, dir.path().join(file)).unwrap_err().to_string();
            assert!(text.contains(name) && text.contains(helps), "{text}");
        }
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn what_tch_itself_saved_is_read_under_any_name() {
    let _turn = common::seeded(0);
    let dir = tempfile::tempdir().unwrap();
    let vs = VarStore::new(Device::Cpu);
    cifar10_net(&vs.root());
    let mut norm = nn::batch_norm2d(vs.root() / "norm", 3, nn::BatchNormConfig::default());
    _ = norm.running_var.fill_(1.5);
    for name in ["net.pt", "net.ot", "net.pth", "net.bin", "net", "net.safetensors"] {
        vs.save(dir.path().join(name)).unwrap();
        let mut other = VarStore::new(Device::Cpu);
        cifar10_net(&other.root());
        nn::batch_norm2d(other.root() / "norm", 3, nn::BatchNormConfig::default());
        checkpoint::load(&mut other, dir.path().join(name)).unwrap();
        for (key, tensor) in vs.variables() {
            assert!(other.variables()[&key].equal(&tensor), "{name} {key}");
        }
    }
}
