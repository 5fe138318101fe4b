//! The drawn folder: the same bytes, learned from, and nobody else's files touched.

use std::fs;
use std::path::Path;

use blitz::prelude::*;
use sha2::{Digest, Sha256};

fn options(per_class: usize, seed: u64) -> DrawnFolderOptions {
    DrawnFolderOptions { per_class, seed, ..Default::default() }
}

/// All files below `dir` with their contents, sorted by name.
fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match path.is_dir() {
            true => all.extend(
                contents(&path)
                    .into_iter()
                    .map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)),
            ),
            false => all.push((name, fs::read(&path).unwrap())),
        }
    }
    all.sort();
    all
}

#[test]
fn the_pictures_have_different_sizes_and_the_same_pixels_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    let paths = drawn_folder(dir.path(), &options(10, 0)).unwrap();
    assert_eq!(paths.len(), 30);
    assert!(paths[0].ends_with("cat/cat_001.png") && paths[0].is_file(), "{:?}", paths[0]);
    let pictures: Vec<_> = paths.iter().map(|path| image::open(path).unwrap()).collect();
    let grey = pictures.iter().filter(|picture| !picture.color().has_color()).count();
    assert_eq!(grey, 6);
    assert!(pictures.iter().any(|picture| picture.width() > picture.height()));
    assert!(pictures.iter().any(|picture| picture.width() < picture.height()));
    let mut hasher = Sha256::new();
    pictures.iter().for_each(|picture| hasher.update(picture.as_bytes()));
    let digest: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, "fbb7e47c4784a921f14810921b775ad52a7b8cd5b9d11c74f587fc1a1f92580a");
}

#[test]
fn a_net_tells_the_classes_apart() {
    let dir = tempfile::tempdir().unwrap();
    drawn_folder(dir.path(), &options(60, 0)).unwrap();
    let folder = ImageFolder::load(dir.path(), &ImageFolderOptions::default()).unwrap();
    assert_eq!(folder.classes, ["cat", "ship", "truck"]);
    let TrainTest { train, test, .. } = folder.split(0.25, 0).unwrap();
    let shuffle = Order::Shuffled { seed: 0 };
    let mut train_loader =
        DataLoader::new(&train, LoaderOptions { shuffle, ..Default::default() }).unwrap();
    let mut test_loader = DataLoader::new(&test, LoaderOptions::default()).unwrap();
    let _turn = crate::common::seeded(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net_with(&vs.root(), CifarNetOptions { classes: 3, ..Default::default() });
    let sgd = SgdOptions { lr: 0.01, momentum: 0.9, ..Default::default() };
    let mut optimizer = Sgd::new(&vs, sgd).unwrap();
    let options = FitOptions { epochs: 12, ..Default::default() };
    fit(&net, &mut optimizer, &mut train_loader, &options).unwrap();
    let after = evaluate(&net, &mut test_loader, &folder.classes).unwrap();
    // Chance is 33 %.
    assert!(after.accuracy() > 0.6, "{after}");
}

#[test]
fn a_later_call_replaces_what_an_earlier_one_drew_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("new/drawn");
    drawn_folder(&dir, &options(3, 0)).unwrap();
    let first = contents(&dir);
    assert_eq!(first.len(), 10);
    drawn_folder(&dir, &options(3, 0)).unwrap();
    assert_eq!(contents(&dir), first);
    // A person's own: another name, and one of the drawings changed.
    fs::write(dir.join("cat/mine.png"), "mine").unwrap();
    fs::write(dir.join("ship/ship_003.png"), "changed").unwrap();
    let error = drawn_folder(&dir, &options(3, 1)).unwrap_err().to_string();
    assert!(error.contains("ship/ship_003.png is there and was not drawn here"), "{error}");
    let name = "cat/cat_001.png".to_owned();
    let of = |all: &[(String, Vec<u8>)]| all.iter().find(|one| one.0 == name).unwrap().1.clone();
    assert_eq!(of(&contents(&dir)), of(&first), "nothing was done");
    // Fewer are wanted: what is not wanted any more goes, but for what was changed.
    let cats = DrawnFolderOptions { classes: vec!["cat".to_owned()], ..options(2, 1) };
    drawn_folder(&dir, &cats).unwrap();
    let after = contents(&dir);
    let names: Vec<&str> = after.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        ".rust-blitz-drawn",
        "cat/cat_001.png",
        "cat/cat_002.png",
        "cat/mine.png",
        "ship/ship_003.png",
    ];
    assert_eq!(names, expected);
    assert_ne!(of(&after), of(&first));
    assert_eq!(after[3].1, b"mine");
}

#[test]
fn other_peoples_folders_and_options_without_sense_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let draw =
        |options: &DrawnFolderOptions| drawn_folder(dir.path(), options).unwrap_err().to_string();
    let twice = ["cat", "cat"].map(str::to_owned).to_vec();
    for (options, expected) in [
        (options(0, 0), "option per_class must be from 1 to 1000, got 0"),
        (
            DrawnFolderOptions { size: 8, ..Default::default() },
            "option size must be from 16 to 512",
        ),
        (DrawnFolderOptions { classes: vec![], ..Default::default() }, "option classes must be"),
        (DrawnFolderOptions { classes: twice, ..Default::default() }, "different ones of airplane"),
        (
            DrawnFolderOptions { classes: vec!["unicorn".to_owned()], ..Default::default() },
            "got [\"unicorn\"]",
        ),
    ] {
        let text = draw(&options);
        assert!(text.contains(expected), "{text}");
    }
    fs::write(dir.path().join("letter.txt"), "dear").unwrap();
    let text = draw(&options(1, 0));
    assert!(text.contains("letter.txt is in it already. Name another folder"), "{text}");
    assert_eq!(contents(dir.path()).len(), 1);
    let file = dir.path().join("letter.txt");
    let text = drawn_folder(&file, &options(1, 0)).unwrap_err().to_string();
    assert!(text.contains("it is a file"), "{text}");
}
