//! Reading the record files: both layouts, and every way in which they can be damaged.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use blitz::data::builtin::BuiltInOptions;
use blitz::data::cifar10::CLASSES;
use blitz::data::download::Archive;
use blitz::data::records::RECORD_LEN;
use blitz::prelude::*;
use common::write_files;

fn load(dir: &Path) -> blitz::Result<Cifar10> {
    let data = DataChoice::Directory(dir.to_owned());
    Cifar10::load(&Cifar10Options { data, ..Cifar10Options::default() })
}

/// Loading through an otherwise empty cache directory, with no network.
fn load_cached(cache_dir: &Path, records_per_file: u64) -> blitz::Result<Cifar10> {
    let archive =
        Archive { url: "http://127.0.0.1:9/none".into(), records_per_file, ..Archive::official() };
    let built_in = BuiltInOptions { train: 20, test: 10, seed: 1 };
    let data = DataChoice::Auto;
    let cache_dir = cache_dir.to_owned();
    Cifar10::load(&Cifar10Options {
        data,
        cache_dir,
        archive,
        built_in,
        ..Cifar10Options::default()
    })
}

fn message<T>(result: blitz::Result<T>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn records_become_images_in_planes_and_labels() {
    let dir = tempfile::tempdir().unwrap();
    write_files(dir.path(), 3);
    let cifar10 = load(dir.path()).unwrap();
    assert_eq!(cifar10.source, Source::Directory(dir.path().to_owned()));
    assert_eq!(cifar10.train.images.size(), [15, 3, 32, 32]);
    assert_eq!(cifar10.train.images.kind(), Kind::Uint8);
    assert_eq!(cifar10.train.labels.kind(), Kind::Int64);
    let labels: Vec<i64> = Vec::try_from(&cifar10.train.labels).unwrap();
    assert_eq!(labels, [0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5, 4, 5, 6]);
    // Picture 7 is record 1 of file 3, which starts with 201.
    let pixel = |c: i64, y: i64, x: i64| cifar10.train.images.int64_value(&[7, c, y, x]);
    for (c, y, x) in [(0, 0, 0), (0, 0, 31), (0, 31, 0), (1, 2, 3), (2, 31, 31)] {
        assert_eq!(pixel(c, y, x), (201 + c * 1024 + y * 32 + x) % 251, "{c} {y} {x}");
    }
    assert_eq!(cifar10.test.len(), 3);
    assert_eq!(cifar10.test.labels.int64_value(&[0]), 5);
}

#[test]
fn the_parent_directory_will_do() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("cifar-10-batches-bin");
    write_files(&inner, 2);
    assert_eq!(load(dir.path()).unwrap().source, Source::Directory(inner));
}

/// The six files, one after another, with `damage` done to one and mended again.
fn each_damaged(damage: impl Fn(&mut Vec<u8>), expected: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    for file in write_files(dir.path(), 4) {
        let whole = std::fs::read(&file).unwrap();
        let mut bytes = whole.clone();
        damage(&mut bytes);
        std::fs::write(&file, bytes).unwrap();
        let text = message(load(dir.path()));
        assert!(text.starts_with(&format!("{} is damaged", file.display())), "{text}");
        for expected in expected {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        std::fs::write(&file, whole).unwrap();
    }
    load(dir.path()).unwrap();
}

#[test]
fn a_truncated_file_is_named_with_its_length_and_the_place() {
    let expected = ["a multiple of 3073 bytes", "found 6145 bytes", "record at byte 3073 was cut"];
    each_damaged(|bytes| bytes.truncate(2 * RECORD_LEN - 1), &expected);
    each_damaged(Vec::clear, &["found 0 bytes"]);
}

#[test]
fn a_label_of_10_is_named_with_its_offset() {
    let expected = ["expected a label from 0 to 9 at byte 6146, found 10"];
    each_damaged(|bytes| bytes[2 * RECORD_LEN] = 10, &expected);
    each_damaged(|bytes| bytes[3 * RECORD_LEN] = 255, &["at byte 9219, found 255"]);
}

#[test]
fn a_given_directory_comes_before_the_cache_where_it_is_there() {
    let (given, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cached = cache.path().join("cifar-10-batches-bin");
    write_files(&cached, 2);
    let directory = given.path().join("cifar10");
    let options = Cifar10Options {
        data: DataChoice::Auto,
        directory: Some(directory.clone()),
        cache_dir: cache.path().to_owned(),
        archive: Archive { records_per_file: 2, ..Archive::official() },
        ..Cifar10Options::default()
    };
    assert_eq!(Cifar10::load(&options).unwrap().source, Source::Cache(cached));
    let files = write_files(&directory, 3);
    let loaded = Cifar10::load(&options).unwrap();
    assert_eq!((loaded.train.len(), loaded.source), (15, Source::Directory(directory.clone())));
    // BLITZ_DATA, which becomes `data`, comes before both.
    let data = DataChoice::Directory(cache.path().to_owned());
    assert_eq!(Cifar10::load(&Cifar10Options { data, ..options.clone() }).unwrap().train.len(), 10);
    // Real data that is there, but not whole, is never passed over.
    std::fs::remove_file(&files[1]).unwrap();
    assert!(message(Cifar10::load(&options)).contains("data_batch_2.bin is missing"));
}

#[test]
fn a_missing_file_or_directory_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let files = write_files(dir.path(), 1);
    std::fs::remove_file(&files[4]).unwrap();
    assert!(message(load(dir.path())).contains("data_batch_5.bin is missing"));
    let text = message(load(&dir.path().join("nowhere")));
    assert!(text.contains("nowhere is missing") && text.contains("BLITZ_DATA"), "{text}");
}

#[test]
fn the_cache_is_used_and_a_damaged_one_is_an_error() {
    let cache = tempfile::tempdir().unwrap();
    let dir = cache.path().join("cifar-10-batches-bin");
    let files = write_files(&dir, 2);
    assert_eq!(load_cached(cache.path(), 2).unwrap().source, Source::Cache(dir.clone()));
    // Whole records, but fewer than the archive has.
    let text = message(load_cached(cache.path(), 3));
    assert!(
        text.contains("data_batch_1.bin") && text.contains("expected 9219 bytes, found 6146"),
        "{text}"
    );
    assert!(text.contains(&format!("Delete {}", dir.display())), "{text}");
    std::fs::remove_file(&files[5]).unwrap();
    assert!(message(load_cached(cache.path(), 2)).contains("test_batch.bin is missing"));
}

#[test]
fn without_cache_and_network_the_built_in_set_says_why() {
    let cache = tempfile::tempdir().unwrap();
    let cifar10 = load_cached(cache.path(), 10_000).unwrap();
    let Source::BuiltIn { reason } = cifar10.source else { panic!("{:?}", cifar10.source) };
    assert_eq!(
        reason,
        "could not download http://127.0.0.1:9/none: the server refused the connection"
    );
    assert_eq!((cifar10.train.len(), cifar10.test.len()), (20, 10));
    let left = std::fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["download.lock"]);
}

#[test]
fn there_are_ten_classes_in_the_official_order() {
    assert_eq!((CLASSES[0], CLASSES[5], CLASSES[9]), ("airplane", "dog", "truck"));
}
