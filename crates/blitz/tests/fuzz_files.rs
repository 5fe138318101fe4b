//! Damaged files of parameters, made by chance but always the same ones: each is an error or other
//! numbers, never a panic, and never takes more memory than a file of its length can need. Nothing
//! in it is executed: there is nothing that could.
//!
//! `BLITZ_FUZZ_FILES` sets how many files of each kind are tried.
#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use blitz::nn::VarStore;
use blitz::prelude::*;
use blitz::tensor::random::PyTorchGenerator;

/// The system's allocator, which remembers the largest piece that anybody asked it for.
struct Watched;

thread_local! {
    /// By each thread, because tests run beside each other.
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

fn note(size: usize) {
    // A thread that is ending has none.
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
}

// SAFETY: all calls go on to the system's allocator as they came.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// A file of n bytes may lead to pieces of memory of so many times n: lists grow by doubling, and a
/// value takes more room than the byte that makes it.
const TIMES: usize = 64;
/// What is taken for any file, such as buffers.
const ANYWAY: usize = 256 * 1024;

/// How many damaged files of each kind are tried.
fn budget() -> u32 {
    let set = std::env::var("BLITZ_FUZZ_FILES").ok();
    set.map_or(1_500, |count| count.parse().expect("a count"))
}

/// The kinds of damage.
struct Damage(PyTorchGenerator);

impl Damage {
    fn below(&mut self, bound: usize) -> usize {
        self.0.random() as usize % bound.max(1)
    }

    /// A few changes of `bytes`.
    fn done_to(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(3) {
            self.change(&mut bytes);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let place = self.below(bytes.len());
        let end = (place + 1 + self.below(24)).min(bytes.len());
        match self.below(9) {
            0 if place < bytes.len() => bytes[place] ^= 1 << self.below(8),
            1 if place < bytes.len() => bytes[place] = self.0.random() as u8,
            2 => bytes.truncate(place),
            3 => drop(bytes.drain(place..end)),
            // Once more, as a list or a call that stands there twice.
            4 => {
                let part = bytes[place..end].to_vec();
                bytes.splice(place..place, part);
            }
            5 => {
                let part = bytes[place..end].to_vec();
                let elsewhere = self.below(bytes.len());
                bytes.splice(elsewhere..elsewhere, part);
            }
            6 => {
                let opcodes = b"(.012BCGIJKLMNQRTUX]abcdeghjlpqrstu})\x80\x81\x85\x86\x87\x88\x89\
                    \x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96";
                let opcode = opcodes[self.below(opcodes.len())];
                bytes.insert(place, opcode);
            }
            // Lengths, offsets, sizes and strides.
            7 => self.number(bytes, place),
            _ => self.digits(bytes, place),
        }
    }

    /// A number of 1 to 8 bytes that is at the edge of something.
    fn number(&mut self, bytes: &mut [u8], place: usize) {
        let edges = [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, i64::MAX as u64, u64::MAX];
        let number = edges[self.below(edges.len())].to_le_bytes();
        let width = 1 << self.below(4);
        for (byte, new) in bytes.iter_mut().skip(place).zip(&number[..width]) {
            *byte = *new;
        }
    }

    /// The next number that is written in digits, as in JSON, becomes another.
    fn digits(&mut self, bytes: &mut Vec<u8>, place: usize) {
        let numbers: [&[u8]; 6] =
            [b"0", b"-1", b"3", b"4294967296", b"9223372036854775807", b"18446744073709551615"];
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        let Some(start) = bytes.iter().skip(place).position(is_digit) else { return };
        let start = place + start;
        let length = bytes[start..].iter().take_while(|byte| is_digit(byte)).count();
        let number = numbers[self.below(numbers.len())].iter().copied();
        bytes.splice(start..start + length, number);
    }
}

fn net() -> VarStore {
    let vs = VarStore::new(Device::Cpu);
    let ramp = Tensor::arange(6, (Kind::Float, Device::Cpu)).view([2, 3]);
    let fc = vs.root() / "fc";
    let _ = fc.add("weight", ramp.expand([2, 2, 3], false).contiguous(), false);
    let _ = fc.add("bias", ramp.get(1), false);
    let (norm, other) = (vs.root() / "norm", vs.root() / "other");
    let _ = norm.add("running_mean", ramp.narrow(1, 1, 2), false);
    let _ = other.add("z", Tensor::complex(&ramp, &ramp).conj(), false);
    let _ = other.add("eighth", ramp.to_kind(Kind::Float8e5m2), false);
    vs
}

fn saved(ending: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(format!("net.{ending}"));
    checkpoint::save(&net(), &path).unwrap();
    fs::read(path).unwrap()
}

/// Loads `bytes`, whole and in part, lists what they hold, and asks how much memory that took.
fn try_file(bytes: &[u8], path: &Path, vs: &mut VarStore) {
    fs::write(path, bytes).unwrap();
    let loaded = watched(bytes, || checkpoint::load(vs, path));
    let options = LoadOptions { mismatches: Mismatches::Leave, ..LoadOptions::default() };
    let in_part = watched(bytes, || checkpoint::load_with(vs, path, &options));
    let listed = watched(bytes, || checkpoint::inspect(path));
    if loaded.is_ok() {
        let report = in_part.as_ref().expect("the whole was loaded");
        assert!(report.is_whole() && report.loaded.len() == vs.len(), "{report}");
        let inspection = listed.as_ref().expect("the whole was loaded");
        assert!(inspection.tensors.len() >= vs.len(), "{inspection}");
    }
    if let Ok(inspection) = &listed {
        watched(bytes, || inspection.to_string());
    }
    for error in [loaded.err(), in_part.err(), listed.err()].into_iter().flatten() {
        let text = error.to_string();
        assert!(text.contains("Nothing was loaded"), "{text}");
    }
}

/// What `call` gives, which may not ask for more memory than a file of `bytes` can need.
fn watched<T: std::fmt::Debug>(bytes: &[u8], call: impl FnOnce() -> T) -> T {
    LARGEST.set(0);
    let result = call();
    let largest = LARGEST.get();
    if largest > TIMES * bytes.len() + ANYWAY {
        let kept = std::env::temp_dir().join("fuzz_files.damaged");
        fs::write(&kept, bytes).unwrap();
        panic!("{largest} bytes for a file of {}: {} ({result:?})", bytes.len(), kept.display());
    }
    result
}

/// Tries `budget` files that `make` makes of damaged bytes of `seed`.
fn try_all(seed: &[u8], number: u64, make: impl Fn(&[u8]) -> Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("net");
    let mut vs = net();
    checkpoint_must_load(&make(seed), &path, &mut vs);
    let mut damage = Damage(PyTorchGenerator::manual_seed(number));
    for _ in 0..budget() {
        try_file(&make(&damage.done_to(seed)), &path, &mut vs);
    }
    assert!(resident_peak() < 2 << 30, "resident memory rose to {} bytes", resident_peak());
}

fn checkpoint_must_load(bytes: &[u8], path: &Path, vs: &mut VarStore) {
    fs::write(path, bytes).unwrap();
    checkpoint::load(vs, path).unwrap();
}

/// What libtorch allocates does not pass by Rust's allocator, but is in this.
fn resident_peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    kilobytes.map_or(0, |kilobytes: usize| 1024 * kilobytes)
}

/// The records of a zip archive.
fn records(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut records = Vec::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index_raw(index).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        // libtorch compresses the pickle of `.ot`, of which the zip crate knows nothing here.
        match file.compression() {
            zip::CompressionMethod::Stored => file.read_to_end(&mut bytes).unwrap(),
            _ => flate2::read::DeflateDecoder::new(file).read_to_end(&mut bytes).unwrap(),
        };
        records.push((name, bytes));
    }
    records
}

/// The archive with another `data.pkl`, whose sum is right.
fn rezipped(records: &[(String, Vec<u8>)], pickle: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in records {
        zip.start_file(name.as_str(), stored).unwrap();
        let bytes = if name.ends_with("data.pkl") { pickle } else { bytes };
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn pickle_of(records: &[(String, Vec<u8>)]) -> Vec<u8> {
    records.iter().find(|(name, _)| name.ends_with("data.pkl")).unwrap().1.clone()
}

/// The same parameters as `torch.save` wrote them before version 1.6.
fn legacy() -> Vec<u8> {
    let records = records(&saved("pth"));
    let mut bytes = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.".to_vec();
    bytes.extend(b"\x80\x02M\xe9\x03.\x80\x02}U\x0dlittle_endian\x88s.");
    bytes.extend(pickle_of(&records));
    let data = |key: usize| {
        let end = format!("/data/{key}");
        records.iter().find(|(name, _)| name.ends_with(&end)).map(|(_, bytes)| bytes)
    };
    let storages: Vec<_> = (0..).map_while(data).collect();
    bytes.extend(b"\x80\x02](");
    for key in 0..storages.len() {
        bytes.extend([b'U', 1, b'0' + key as u8]);
    }
    bytes.extend(b"e.");
    // In the order of the names in `net`: bytes of a number of each.
    let widths = widths(&pickle_of(&records));
    for (storage, width) in storages.iter().zip(widths) {
        bytes.extend((storage.len() as u64 / width).to_le_bytes());
        bytes.extend(*storage);
    }
    bytes
}

/// The widths of the numbers of the storages, in the order of their records.
fn widths(pickle: &[u8]) -> Vec<u64> {
    let text = String::from_utf8_lossy(pickle);
    let classes = text.split("storage").skip(1).filter(|part| part.contains("Storage\n"));
    let width = |part: &str| match part {
        part if part.contains("ComplexFloatStorage") => 8,
        part if part.contains("FloatStorage") => 4,
        _ => 1,
    };
    classes.map(width).collect()
}

#[test]
fn damaged_archives() {
    let whole = saved("pth");
    try_all(&whole, 1, <[u8]>::to_vec);
}

#[test]
fn damaged_pickles_in_good_archives() {
    let records = records(&saved("pth"));
    try_all(&pickle_of(&records), 2, |pickle| rezipped(&records, pickle));
}

#[test]
fn damaged_torchscript() {
    let records = records(&saved("ot"));
    try_all(&pickle_of(&records), 3, |pickle| rezipped(&records, pickle));
}

#[test]
fn damaged_files_of_the_old_format() {
    try_all(&legacy(), 4, <[u8]>::to_vec);
}

#[test]
fn damaged_safetensors() {
    try_all(&saved_real(), 5, <[u8]>::to_vec);
}

#[test]
fn damaged_headers_of_safetensors_with_the_right_length() {
    let whole = saved_real();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let (header, rest) = whole[8..].split_at(length);
    try_all(header, 6, |header| {
        let length = (header.len() as u64).to_le_bytes();
        [&length, header, rest].concat()
    });
}

#[test]
fn damaged_indices_of_several_files() {
    let index = br#"{"metadata": {"total_size": 60}, "weight_map": {"fc.weight": "one",
        "fc.bias": "one", "norm.running_mean": "one", "other.z": "one", "other.eighth": "one"}}"#;
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("one"), saved("pth")).unwrap();
    let path = dir.path().join("index.json");
    let mut vs = net();
    checkpoint_must_load(index, &path, &mut vs);
    let mut damage = Damage(PyTorchGenerator::manual_seed(7));
    for _ in 0..budget() {
        fs::write(&path, damage.done_to(index)).unwrap();
        // Also the message that a file is missing.
        let loaded = checkpoint::load(&mut vs, &path);
        let listed = checkpoint::inspect(&path);
        assert!(loaded.is_err() || listed.is_ok(), "{listed:?}");
    }
}

fn saved_real() -> Vec<u8> {
    saved("safetensors")
}

/// A training of a small net, begun or continued in `dir`.
fn train(dir: &Path, first: bool) -> blitz::Result<FitReport> {
    let images = Tensor::arange(8 * 3 * 32 * 32, (Kind::Int64, Device::Cpu)).remainder(251);
    let images = images.to_kind(Kind::Uint8).view([8, 3, 32, 32]);
    let labels = Tensor::arange(8, (Kind::Int64, Device::Cpu));
    let split = blitz::data::split::Split { images, labels };
    let vs = VarStore::new(Device::Cpu);
    let net = nn::seq().add_fn(|images| images.flatten(1, -1).narrow(1, 0, 6)).add(linear(
        vs.root() / "fc",
        6,
        10,
    ));
    let sgd = SgdOptions { lr: 0.01, momentum: 0.9, ..SgdOptions::default() };
    let mut optimizer = Sgd::new(&vs, sgd)?;
    let mut train_loader = DataLoader::new(&split, LoaderOptions::default())?;
    let mut test_loader = DataLoader::new(&split, LoaderOptions::default())?;
    let options = FitOptions {
        epochs: 1,
        checkpoint: Some(CheckpointOptions::new(dir, &vs)),
        ..FitOptions::default()
    };
    let loaders = (&mut train_loader, &mut test_loader);
    match first {
        true => fit(&net, &mut optimizer, loaders, &options),
        false => resume(&net, &mut optimizer, loaders, &options),
    }
}

#[test]
fn damaged_checkpoints_of_trainings() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path(), true).unwrap();
    let newest = checkpoint::newest(dir.path()).unwrap().unwrap();
    let mut damage = Damage(PyTorchGenerator::manual_seed(8));
    for name in ["progress.json", "state.safetensors", "net.safetensors"] {
        let path = newest.join(name);
        let whole = fs::read(&path).unwrap();
        for _ in 0..budget() / 10 {
            let bytes = damage.done_to(&whole);
            fs::write(&path, &bytes).unwrap();
            LARGEST.set(0);
            let resumed = train(dir.path(), false);
            let largest = LARGEST.get();
            assert!(largest <= TIMES * bytes.len() + ANYWAY, "{name}: {largest}, {resumed:?}");
        }
        fs::write(&path, &whole).unwrap();
        train(dir.path(), false).unwrap();
    }
}
