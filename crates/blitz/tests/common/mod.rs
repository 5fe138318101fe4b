//! What the integration tests share: PyTorch's reference values and the formula inputs.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses a part

pub mod steps;
pub mod world;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use blitz::data::records::RECORD_LEN;
use blitz::data::split::Split;
use blitz::tch::{self, Device, Kind, Tensor};
use blitz_contract::variables;
use serde_json::Value;

/// This crate's directory. cargo says where it is; where it does not, because the tests were taken
/// to another machine (ci/gpu/run), `CARGO_MANIFEST_DIR` is set as cargo does.
pub fn crate_dir() -> PathBuf {
    let set = std::env::var_os("CARGO_MANIFEST_DIR");
    set.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// The Python with PyTorch: the project's own, or the one that `BLITZ_PYTHON` names.
pub fn python() -> PathBuf {
    let named = std::env::var_os("BLITZ_PYTHON");
    named.map_or_else(|| crate_dir().join("../../.venv/bin/python"), PathBuf::from)
}

/// examples/cifar10.rs: compiled by cargo, or as [`variables::EXAMPLE`] names it, with the person's own
/// settings forgotten.
pub fn example() -> Command {
    let mut command = match std::env::var_os(variables::EXAMPLE) {
        Some(program) => Command::new(program),
        None => {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["run", "--offline", "--quiet", "--package", "blitz"]);
            cargo.args(["--example", "cifar10", "--"]);
            cargo
        }
    };
    command.env_remove("BLITZ_DATA").env_remove("BLITZ_DEVICE").current_dir(crate_dir());
    command
}

/// libtorch's generators are global, so the tests of one program that seed them or draw from them
/// take turns, also those that only make a net.
///
/// # Panics
/// Where something drew outside a turn, which could have been inside another test's.
pub fn turn() -> Turn {
    static TURN: Mutex<bool> = Mutex::new(false);
    let mut begun = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let first_number = || Tensor::rand([1], (Kind::Double, Device::Cpu)).double_value(&[0]);
    let found = first_number();
    tch::manual_seed(BETWEEN_TURNS);
    let untouched = !std::mem::replace(&mut *begun, true) || found == first_number();
    tch::manual_seed(BETWEEN_TURNS);
    assert!(untouched, "a test before this one drew numbers, or seeded, without `common::turn()`");
    Turn(begun)
}

/// A [`turn`] that begins with `seed`.
pub fn seeded(seed: i64) -> Turn {
    let turn = turn();
    tch::manual_seed(seed);
    turn
}

/// While it lives, no other test draws. At its end all generators have one seed, from which
/// [`turn`] sees what was drawn since.
pub struct Turn(#[expect(dead_code, reason = "held")] MutexGuard<'static, bool>);

const BETWEEN_TURNS: i64 = 0x626c_6974;

impl Drop for Turn {
    fn drop(&mut self) {
        tch::manual_seed(BETWEEN_TURNS);
    }
}

/// This program again, in which the ignored test `name` runs alone; `module` is the
/// `module_path!()` of that test.
pub fn ignored_test(module: &str, name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    // libtest's names begin below the program's.
    let (_program, path) = module.split_once("::").unwrap();
    command.args([&format!("{path}::{name}"), "--exact", "--ignored", "--nocapture"]);
    command
}

/// PyTorch's numbers in `NAME.json`, and whether they were made here and now, so that every bit is
/// to be compared: with `BLITZ_REFERENCE` set (see tests/same_numbers).
pub fn expected(name: &str) -> (Value, bool) {
    let fresh = std::env::var_os("BLITZ_REFERENCE");
    let dir = fresh.as_ref().map_or_else(|| crate_dir().join("tests/reference"), PathBuf::from);
    let text = std::fs::read(dir.join(format!("{name}.json"))).unwrap();
    (serde_json::from_slice(&text).unwrap(), fresh.is_some())
}

/// Reads `tests/reference/NAME.json`, which make_reference.py wrote.
pub fn reference(name: &str) -> Value {
    let path = crate_dir().join("tests/reference").join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

pub fn integers(value: &Value) -> Vec<i64> {
    value.as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).collect()
}

/// The largest absolute difference; panics where the lengths differ.
pub fn difference(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

pub fn values(tensor: &Tensor) -> Vec<f64> {
    let on_cpu = tensor.to_device(Device::Cpu).to_kind(Kind::Double);
    Vec::try_from(on_cpu.contiguous().view(-1)).unwrap()
}

/// The bits of a tensor's elements, which are f32, in order.
pub fn bits(tensor: &Tensor) -> Vec<u32> {
    values(tensor).iter().map(|value| (*value as f32).to_bits()).collect()
}

/// `count` pictures `[count, 3, 32, 32]` by formula, u8, and labels, as the scripts in
/// tests/reference make them.
pub fn formula_split(count: i64) -> Split {
    let long = (Kind::Int64, Device::Cpu);
    let values = Tensor::arange(count * 3 * 32 * 32, long) * 37;
    let images = values.remainder(251).to_kind(Kind::Uint8).view([count, 3, 32, 32]);
    Split { images, labels: (Tensor::arange(count, long) * 3).remainder(10) }
}

/// A split of `count` pictures whose every byte of picture i is i (mod 256), labels i mod 10: the
/// pictures that a batch holds can be read off it.
pub fn numbered_split(count: i64) -> Split {
    let numbers = Tensor::arange(count, (Kind::Int64, Device::Cpu));
    let images =
        numbers.to_kind(Kind::Uint8).view([count, 1, 1, 1]).expand([count, 3, 32, 32], false);
    Split { images: images.contiguous(), labels: numbers.remainder(10) }
}

/// One record whose picture is `value`, `value + 1`, ... (mod 251), so that no axis looks like
/// another.
pub fn record(label: u8, value: usize) -> Vec<u8> {
    let picture = (0..RECORD_LEN - 1).map(|index| ((value + index) % 251) as u8);
    std::iter::once(label).chain(picture).collect()
}

/// Writes the six files with `per_file` records each; record i of file f has label (f + i) % 10
/// and starts with 100 f + i.
pub fn write_files(dir: &Path, per_file: usize) -> Vec<PathBuf> {
    std::fs::create_dir_all(dir).unwrap();
    let names = (1..=5).map(|index| format!("data_batch_{index}.bin"));
    let names = names.chain(["test_batch.bin".to_owned()]);
    let write = |(file, name): (usize, String)| {
        let bytes: Vec<u8> = (0..per_file)
            .flat_map(|index| record(((file + index) % 10) as u8, 100 * file + index))
            .collect();
        let path = dir.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    names.enumerate().map(write).collect()
}

/// Answers one request with `head` and `body`; returns the address.
pub fn serve(head: String, body: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/cifar.tar.gz", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        // The client may close first when it has seen enough.
        let _ = stream.write_all(&body);
    });
    address
}

/// The head of a good answer.
pub fn ok(length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
}
