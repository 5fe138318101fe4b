//! Files that fit a net in part: what PyTorch's `load_state_dict(..., strict=False)` does with them.
//! tests/python/partial_loading.py makes them, and says what is expected.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{self, seeded};
use crate::wild_files::{add, listed, sizes};
use blitz::nn::VarStore;
use blitz::prelude::*;
use serde_json::{Value, json};

/// Runs tests/python/partial_loading.py in the project's own Python.
fn python(dir: &Path) {
    let script = common::crate_dir().join("tests/python/partial_loading.py");
    let output = Command::new(common::python()).arg("-B").arg(script).arg(dir).output();
    let output = output.expect("`cargo blitz setup` makes .venv");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The net of the case, each number 77. `out.weight` is `embed.weight` where there is one.
fn net(case: &Value) -> VarStore {
    let vs = VarStore::new(Device::Cpu);
    let tied = case["net"].get("embed.weight").is_some();
    let mut first = None;
    for (name, size) in case["net"].as_object().unwrap() {
        let tensor = Tensor::full(sizes(size), 77, (Kind::Float, Device::Cpu));
        let tensor = match name.ends_with(".weight") && tied {
            true => first.get_or_insert(tensor).shallow_clone(),
            false => tensor,
        };
        add(&vs, name, &tensor);
    }
    vs
}

fn texts(value: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Some(value.as_array()?.iter().map(text).collect())
}

fn options(case: &Value) -> LoadOptions {
    let given = &case["options"];
    let text = |name: &str| given[name].as_str().map(str::to_owned);
    let mismatches = match given.get("strict") {
        Some(_) => Mismatches::Refuse,
        None => Mismatches::Leave,
    };
    LoadOptions {
        key: text("key"),
        prefix: text("prefix"),
        only: texts(&given["only"]),
        mismatches,
    }
}

/// Names in any order: PyTorch's is that of its modules.
fn sorted(names: &[String]) -> Value {
    let mut names = names.to_vec();
    names.sort();
    json!(names)
}

fn all(vs: &VarStore) -> BTreeMap<String, Vec<Value>> {
    vs.variables().iter().map(|(name, tensor)| (name.clone(), listed(tensor))).collect()
}

fn check(dir: &Path, case: &Value) -> Result<(), String> {
    let place = format!("{} with {}", case["file"].as_str().unwrap(), case["options"]);
    let mut vs = net(case);
    let before = all(&vs);
    let path = dir.join(case["file"].as_str().unwrap());
    let report =
        match (checkpoint::load_with(&mut vs, &path, &options(case)), texts(&case["refused"])) {
            (Ok(report), None) => report,
            (Ok(report), Some(_)) => {
                return Err(format!("{place}: is to be refused, but {report}"));
            }
            (Err(error), None) => return Err(format!("{place}: {error}")),
            (Err(error), Some(words)) => {
                let text = error.to_string();
                let lacks = words.iter().find(|word| !text.contains(*word));
                let is_changed = before != all(&vs);
                return match lacks.is_some() || is_changed || !text.contains("Nothing was loaded") {
                    true => Err(format!("{place}: lacks {lacks:?}, changed {is_changed}: {text}")),
                    false => Ok(()),
                };
            }
        };
    let shapes =
        report.other_shapes.iter().map(|other| json!([other.name, other.in_file, other.in_net]));
    let mut shapes: Vec<_> = shapes.collect();
    shapes.sort_by_key(Value::to_string);
    let mut expected_shapes = case["other_shapes"].as_array().unwrap().clone();
    expected_shapes.sort_by_key(Value::to_string);
    for (what, found, expected) in [
        ("loaded", sorted(&report.loaded), sorted(&texts(&case["loaded"]).unwrap())),
        ("missing", sorted(&report.missing), sorted(&texts(&case["missing"]).unwrap())),
        ("unexpected", sorted(&report.unexpected), sorted(&texts(&case["unexpected"]).unwrap())),
        ("left out", sorted(&report.left_out), sorted(&texts(&case["left_out"]).unwrap())),
        ("shapes", json!(shapes), json!(expected_shapes)),
        ("values", json!(all(&vs)), case["values"].clone()),
    ] {
        if found != expected {
            return Err(format!("{place}: {what} {found}, PyTorch {expected}"));
        }
    }
    Ok(())
}

#[test]
fn what_fits_is_loaded_and_the_rest_named_as_pytorch_does() {
    let dir = tempfile::tempdir().unwrap();
    python(dir.path());
    let cases = fs::read(dir.path().join("expected.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_slice(&cases).unwrap();
    assert!(cases.len() > 50, "{}", cases.len());
    let failures: Vec<_> = cases.iter().filter_map(|case| check(dir.path(), case).err()).collect();
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// A small classifier, of so many classes.
fn classifier(root: &nn::Path, classes: i64) -> impl nn::Module + use<> {
    nn::seq()
        .add(linear(root / "features" / "0", 6, 16))
        .add_fn(Tensor::relu)
        .add(linear(root / "features" / "2", 16, 8))
        .add_fn(Tensor::relu)
        .add(linear(root / "fc", 8, classes))
}

#[test]
fn the_report_is_a_few_lines_however_much_differs() {
    let _turn = seeded(0);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("net.safetensors");
    let saved = VarStore::new(Device::Cpu);
    classifier(&saved.root(), 5);
    for layer in 0..9 {
        linear(saved.root() / format!("aux{layer}"), 2, 3);
    }
    checkpoint::save(&saved, &path).unwrap();
    let mut vs = VarStore::new(Device::Cpu);
    classifier(&vs.root(), 3);
    for layer in 0..9 {
        linear(vs.root() / format!("aux{layer}"), 2, 4);
    }
    for layer in 0..4 {
        linear(vs.root() / format!("more{layer}"), 2, 3);
    }
    let options = LoadOptions { mismatches: Mismatches::Leave, ..LoadOptions::default() };
    let report = checkpoint::load_with(&mut vs, &path, &options).unwrap();
    assert!(!report.is_whole());
    assert_eq!(
        report.to_string(),
        "loaded 4 of 32 parameters\n\
         fc.weight: [5, 8] in the file, [3, 8] in the net: left as it was\n\
         fc.bias: [5] in the file, [3] in the net: left as it was\n\
         aux0.weight: [3, 2] in the file, [4, 2] in the net: left as it was\n\
         aux0.bias: [3] in the file, [4] in the net: left as it was\n\
         aux1.weight: [3, 2] in the file, [4, 2] in the net: left as it was\n\
         aux1.bias: [3] in the file, [4] in the net: left as it was\n\
         and 14 more of another shape\n\
         not in the file: more0.weight, more0.bias, more1.weight, more1.bias, more2.weight, \
         more2.bias and 2 more"
    );
    assert_eq!(report.path, path);
}

/// The net of notebook 02's part on fine-tuning.
fn small_net(root: &nn::Path, classes: i64) -> nn::Sequential {
    nn::seq().add(linear(root / "features", 6, 16)).add(ReLU).add(linear(root / "fc", 16, classes))
}

#[test]
fn a_net_is_tuned_for_another_last_layer() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trained.pth");
    let _turn = seeded(0);
    let trained_vs = VarStore::new(Device::Cpu);
    small_net(&trained_vs.root(), 5);
    checkpoint::save(&trained_vs, &path).unwrap();
    let inspection = checkpoint::inspect(&path).unwrap();
    assert_eq!(inspection.tensors[2].size, [5, 16]);

    let mut vs = VarStore::new(Device::Cpu);
    let model = small_net(&vs.root(), 10);
    let options = LoadOptions { mismatches: Mismatches::Leave, ..Default::default() };
    let report = checkpoint::load_with(&mut vs, &path, &options).unwrap();
    assert_eq!(report.loaded, ["features.weight", "features.bias"]);

    vs.freeze();
    for (name, parameter) in named_parameters(&vs) {
        let _ = parameter.set_requires_grad(name.starts_with("fc."));
    }
    let trainable = vs.trainable_variables();
    assert_eq!(trainable.iter().filter(|t| t.requires_grad()).count(), 2);

    let data = Tensor::rand([20, 6], (Kind::Float, Device::Cpu));
    let labels = Tensor::rand([20, 10], (Kind::Float, Device::Cpu));
    let mut optim = nn::sgd(0.9, 0.0, 0.0, false).build(&vs, 1e-2).unwrap();
    let mut losses = Vec::new();
    for _ in 0..=20 {
        let loss = (model.forward(&data) - &labels).square().mean(Kind::Float);
        optim.backward_step(&loss);
        losses.push(loss.double_value(&[]));
    }
    assert!(losses[20] < losses[10] && losses[10] < losses[0], "{losses:?}");
    for name in &report.loaded {
        assert!(vs.variables()[name].equal(&trained_vs.variables()[name]), "{name} moved");
    }
}
