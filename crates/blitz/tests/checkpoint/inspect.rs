//! What a file holds, without a net, compared with what Python lists: tests/python/inspected.py.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common;
use blitz::checkpoint::{Inspection, OtherEntry, TensorEntry};
use blitz::display::Show;
use blitz::prelude::*;
use serde_json::{Value, json};

/// Runs tests/python/inspected.py in the project's own Python.
fn python(dir: &Path) {
    let script = common::crate_dir().join("tests/python/inspected.py");
    let output = Command::new(common::python()).arg("-B").arg(script).arg(dir).output();
    let output = output.expect("`cargo blitz setup` makes .venv");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn sorted(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_key(Value::to_string);
    rows
}

fn tensors(inspection: &Inspection) -> Vec<Value> {
    let row = |tensor: &TensorEntry| {
        let TensorEntry { key, name, size, dtype, numel, bytes, .. } = tensor;
        json!([key, name, size, dtype, numel, bytes])
    };
    inspection.tensors.iter().map(row).collect()
}

fn others(inspection: &Inspection) -> Vec<Value> {
    let row = |OtherEntry { key, name, value }: &OtherEntry| json!([key, name, value]);
    inspection.others.iter().map(row).collect()
}

fn check(dir: &Path, case: &Value) -> Result<(), String> {
    let file = case["file"].as_str().unwrap();
    let inspection = match (checkpoint::inspect(dir.join(file)), case["refused"].as_array()) {
        (Ok(inspection), None) => inspection,
        (Ok(inspection), Some(_)) => return Err(format!("{file} is to be refused: {inspection}")),
        (Err(error), None) => return Err(format!("{file}: {error}")),
        (Err(error), Some(words)) => {
            let text = error.to_string();
            let lacks = words.iter().find(|word| !text.contains(word.as_str().unwrap()));
            return lacks.map_or(Ok(()), |word| Err(format!("{file}: no {word} in: {text}")));
        }
    };
    for (what, found) in [("tensors", tensors(&inspection)), ("others", others(&inspection))] {
        let (found, expected) = (sorted(found), sorted(case[what].as_array().unwrap().clone()));
        if found != expected {
            let only = |one: &[Value], other: &[Value]| {
                let rows = one.iter().filter(|row| !other.contains(row)).take(9);
                json!(rows.collect::<Vec<_>>())
            };
            return Err(format!(
                "{file}: {what} only here {}, only in Python {}",
                only(&found, &expected),
                only(&expected, &found)
            ));
        }
    }
    Ok(())
}

#[test]
fn a_file_is_listed_as_python_lists_it() {
    let dir = tempfile::tempdir().unwrap();
    python(dir.path());
    let cases = fs::read(dir.path().join("expected.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_slice(&cases).unwrap();
    assert!(cases.len() > 20, "{}", cases.len());
    let failures: Vec<_> = cases.iter().filter_map(|case| check(dir.path(), case).err()).collect();
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

#[test]
fn the_list_is_a_table_in_each_format() {
    let _turn = common::seeded(0);
    let dir = tempfile::tempdir().unwrap();
    let vs = nn::VarStore::new(Device::Cpu);
    conv2d(vs.root() / "conv1", 3, 6, 5);
    linear(vs.root() / "fc1", 400, 120);
    for name in ["net.pth", "net.safetensors", "net.ot"] {
        let path = dir.path().join(name);
        checkpoint::save(&vs, &path).unwrap();
        let mut inspection = checkpoint::inspect(&path).unwrap();
        assert_eq!(inspection.path, path);
        assert!(inspection.tensors.iter().all(|tensor| tensor.kind == Some(Kind::Float)));
        // libtorch's own format has another order.
        let order = ["conv1.weight", "conv1.bias", "fc1.weight", "fc1.bias"];
        let place = |tensor: &TensorEntry| order.iter().position(|name| *name == tensor.name);
        inspection.tensors.sort_by_key(place);
        assert_eq!(
            inspection.to_string(),
            "\
Name          Shape         Kind     Numbers    Bytes
-----------------------------------------------------
conv1.weight  [6, 3, 5, 5]  float32      450    1,800
conv1.bias    [6]           float32        6       24
fc1.weight    [120, 400]    float32   48,000  192,000
fc1.bias      [120]         float32      120      480
-----------------------------------------------------
4 tensors, 48,576 numbers, 194,304 bytes
",
            "{name}"
        );
        let bundle = format!("{:?}", inspection.bundle());
        assert!(bundle.contains("text/html") && bundle.contains("fc1.bias</th>"), "{bundle}");
        assert!(bundle.contains("text/plain") && bundle.contains("48,576 numbers"), "{bundle}");
    }
}

#[test]
fn damage_to_the_numbers_is_not_looked_at_and_that_to_shapes_is() {
    let _turn = common::seeded(0);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("net.safetensors");
    let vs = nn::VarStore::new(Device::Cpu);
    linear(vs.root() / "fc", 4, 3);
    checkpoint::save(&vs, &path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(checkpoint::inspect(&path).unwrap().tensors.len(), 2);
    let text = String::from_utf8_lossy(&bytes).replace("[3,4]", "[3,5]");
    fs::write(&path, text.as_bytes()).unwrap();
    let text = checkpoint::inspect(&path).unwrap_err().to_string();
    assert!(text.contains("net.safetensors cannot be read"), "{text}");
}
