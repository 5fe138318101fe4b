//! Pictures in folders by class: what is loaded, in which order, and what is refused.

use std::fs;
use std::path::Path;

use crate::common::{crate_dir, reference, seeded};
use blitz::prelude::*;
use serde_json::{Value, json};

/// A picture whose every value differs from its neighbours, `width` x `height`, as a PNG file.
fn write_picture(path: &Path, (width, height): (u32, u32), start: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let pixels = (0..(3 * width * height) as usize).map(|k| ((start + 37 * k) % 251) as u8);
    let image = image::RgbImage::from_raw(width, height, pixels.collect()).unwrap();
    image.save(path).unwrap();
}

#[test]
fn a_folder_is_loaded_split_and_learned_from() {
    let _turn = seeded(0);
    let dir = tempfile::tempdir().unwrap();
    for class in ["dog", "cat"] {
        for index in 0..5u32 {
            let path = dir.path().join(class).join(format!("{index}.png"));
            write_picture(&path, (20 + 7 * index, 31), 100 * class.len() + index as usize);
        }
    }
    let folder = ImageFolder::load(dir.path(), &ImageFolderOptions::default()).unwrap();
    assert_eq!(folder.classes, ["cat", "dog"]);
    assert_eq!(folder.all.images.size(), [10, 3, 32, 32]);
    let TrainTest { train, test, .. } = folder.split(0.2, 0).unwrap();
    assert_eq!((train.len(), test.len()), (8, 2));
    let mut train_loader = DataLoader::new(&train, LoaderOptions::default()).unwrap();
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net_with(&vs.root(), CifarNetOptions { classes: 2, ..Default::default() });
    let mut optimizer = Sgd::new(&vs, SgdOptions { lr: 0.001, ..Default::default() }).unwrap();
    fit(&net, &mut optimizer, &mut train_loader, &FitOptions::default()).unwrap();
}

/// Two classes with two pictures each, of different sizes.
fn write_two_classes(dir: &Path) {
    for (start, name) in ["cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"].iter().enumerate() {
        write_picture(&dir.join(name), (5 + start as u32, 7), 11 * start);
    }
}

fn load(dir: &Path) -> blitz::Result<ImageFolder> {
    ImageFolder::load(dir, &ImageFolderOptions { size: 8, ..Default::default() })
}

fn message(dir: &Path) -> String {
    load(dir).unwrap_err().to_string()
}

#[test]
fn classes_and_order_are_torchvisions() {
    let reference = reference("pictures");
    let dir = tempfile::tempdir().unwrap();
    for name in reference["order"]["names"].as_array().unwrap() {
        let path = dir.path().join(name.as_str().unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(crate_dir().join("tests/reference/picture_files/rgb.png"), path).unwrap();
    }
    let folder = load(dir.path()).unwrap();
    let classes: Vec<Value> = folder.classes.iter().map(|name| json!(name)).collect();
    assert_eq!(Value::from(classes), reference["order"]["classes"]);
    let labels = Vec::<i64>::try_from(&folder.all.labels).unwrap();
    let samples: Vec<Value> = folder
        .paths
        .iter()
        .zip(labels)
        .map(|(path, label)| json!([path.strip_prefix(dir.path()).unwrap(), label]))
        .collect();
    assert_eq!(Value::from(samples), reference["order"]["samples"]);
}

#[test]
fn pictures_are_those_of_their_files_in_colour_and_grey() {
    let dir = tempfile::tempdir().unwrap();
    write_two_classes(dir.path());
    for channels in [Channels::Rgb, Channels::Grey] {
        let options = ImageFolderOptions { size: 8, channels, ..Default::default() };
        let folder = ImageFolder::load(dir.path(), &options).unwrap();
        assert_eq!(folder.all.images.size(), [4, channels.count(), 8, 8]);
        for (index, path) in folder.paths.iter().enumerate() {
            let photo = PhotoOptions { size: 8, channels, ..Default::default() };
            let photo = Photo::open(path, &photo).unwrap();
            let images = folder.all.images.narrow(0, index as i64, 1);
            assert_eq!(Normalize::default().apply(&images).unwrap(), photo.images, "{path:?}");
        }
    }
    let folder = load(dir.path()).unwrap();
    let text = format!(
        "Dataset ImageFolder\n    Number of datapoints: 4\n    Root location: {}\n    0 cat: 2\n    \
         1 dog: 2\n",
        dir.path().display()
    );
    assert_eq!(folder.to_string(), text);
}

#[test]
fn a_split_is_stratified_and_shares_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for (class, count) in [("cat", 10), ("dog", 2), ("emu", 1)] {
        for index in 0..count {
            let path = dir.path().join(class).join(format!("{index}.png"));
            write_picture(&path, (6, 4), 10 * index + class.len());
        }
    }
    let folder = load(dir.path()).unwrap();
    let count = |split: &Split| {
        (0..3)
            .map(|label| split.labels.eq(label).sum(Kind::Int64).int64_value(&[]))
            .collect::<Vec<_>>()
    };
    for (fraction, train, test) in
        [(0.3, [7, 1, 1], [3, 1, 0]), (0.01, [9, 1, 1], [1, 1, 0]), (0.99, [1, 1, 1], [9, 1, 0])]
    {
        let parts = folder.split(fraction, 7).unwrap();
        assert_eq!((count(&parts.train), count(&parts.test)), (train.to_vec(), test.to_vec()));
        let mut paths = [parts.train_paths.clone(), parts.test_paths.clone()].concat();
        paths.sort();
        let mut all = folder.paths.clone();
        all.sort();
        assert_eq!(paths, all);
        for (index, path) in parts.test_paths.iter().enumerate() {
            let place = folder.paths.iter().position(|other| other == path).unwrap() as i64;
            assert_eq!(parts.test.images.get(index as i64), folder.all.images.get(place));
            assert_eq!(parts.test.labels.get(index as i64), folder.all.labels.get(place));
        }
    }
    let chosen = |seed| folder.split(0.3, seed).unwrap().test_paths;
    assert_eq!(chosen(7), chosen(7));
    assert!((0..9).any(|seed| chosen(seed) != chosen(7)));
    for fraction in [0.0, 1.0, -0.1, f64::NAN, 20.0] {
        let text = folder.split(fraction, 0).unwrap_err().to_string();
        assert!(text.contains("option test_fraction must be more than 0"), "{text}");
    }
}

#[test]
fn folders_that_are_no_classes_are_refused_with_their_names() {
    type Make = fn(&Path);
    let cases: [(Make, &str); 9] = [
        (|_| (), "there is no folder in it, and no picture. Make a folder for each class"),
        (|dir| fs::remove_dir(dir).unwrap(), "it is not there. Paths are looked for from /"),
        (
            |dir| {
                write_picture(&dir.join("a.png"), (3, 4), 0);
                write_picture(&dir.join("b.png"), (3, 4), 0);
            },
            "2 pictures lie directly in it, so they have no class",
        ),
        (
            |dir| write_picture(&dir.join("cat/a.png"), (3, 4), 0),
            "cat is its only class, and there is nothing to tell it from",
        ),
        (
            |dir| {
                write_two_classes(dir);
                fs::create_dir(dir.join("鸟")).unwrap();
                fs::create_dir(dir.join("emu")).unwrap();
                fs::write(dir.join("emu/notes.txt"), "none yet").unwrap();
            },
            "there is no picture in emu, 鸟. Put pictures there",
        ),
        (
            |dir| {
                write_two_classes(dir);
                write_picture(&dir.join("Cat/a.png"), (3, 4), 0);
            },
            "\"Cat\" and \"cat\" look like one class",
        ),
        (
            |dir| {
                write_two_classes(&dir.join("train"));
                write_two_classes(&dir.join("val"));
            },
            "train and val are parts of a data set, not classes. Load each of them: ",
        ),
        (
            |dir| {
                write_two_classes(dir);
                std::os::unix::fs::symlink("..", dir.join("cat/all")).unwrap();
            },
            "it is a link to a folder that it lies in, so it has no end. Remove the link",
        ),
        (
            |dir| {
                fs::remove_dir(dir).unwrap();
                fs::write(dir, "").unwrap();
            },
            "it is a file",
        ),
    ];
    for (make, expected) in cases {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("pictures");
        fs::create_dir(&dir).unwrap();
        make(&dir);
        let text = message(&dir);
        assert!(text.contains(expected), "{text}");
        assert!(text.starts_with(&dir.display().to_string()), "{text}");
    }
}

#[test]
fn two_spellings_may_be_two_classes() {
    let dir = tempfile::tempdir().unwrap();
    for class in ["a", "A"] {
        write_picture(&dir.path().join(class).join("1.png"), (3, 4), class.len());
    }
    let options = ImageFolderOptions { alike_names: AlikeNames::Keep, ..Default::default() };
    assert_eq!(ImageFolder::load(dir.path(), &options).unwrap().classes, ["A", "a"]);
}

#[test]
fn broken_files_are_refused_or_listed() {
    let dir = tempfile::tempdir().unwrap();
    write_two_classes(dir.path());
    let broken = dir.path().join("cat/0.jpg");
    fs::write(&broken, "not a picture").unwrap();
    let text = message(dir.path());
    assert!(text.contains("cat/0.jpg: it is a text"), "{text}");
    assert!(text.ends_with("pass over such files: broken: Broken::Skip."), "{text}");
    std::os::unix::fs::symlink("nowhere.png", dir.path().join("dog/link.png")).unwrap();
    write_picture(&dir.path().join("beside.png"), (3, 4), 0);
    let options = ImageFolderOptions { broken: Broken::Skip, ..Default::default() };
    let folder = ImageFolder::load(dir.path(), &options).unwrap();
    assert_eq!(folder.len(), 4);
    assert_eq!(Vec::<i64>::try_from(&folder.all.labels).unwrap(), [0, 0, 1, 1]);
    let skipped: Vec<_> =
        folder.skipped.iter().map(|one| one.path.strip_prefix(dir.path()).unwrap()).collect();
    assert_eq!(skipped, ["beside.png", "cat/0.jpg", "dog/link.png"].map(Path::new));
    assert!(folder.to_string().ends_with("Passed over: 3\n"));
    for name in ["cat/1.png", "cat/2.png"] {
        fs::write(dir.path().join(name), "").unwrap();
    }
    let error = ImageFolder::load(dir.path(), &options).unwrap_err().to_string();
    assert!(error.contains("no picture in cat can be read. Set broken: Broken::Refuse"), "{error}");
}

#[test]
fn what_a_person_does_not_see_is_passed_over_and_links_are_followed() {
    let dir = tempfile::tempdir().unwrap();
    write_two_classes(dir.path());
    for name in [".ipynb_checkpoints/1.png", "__MACOSX/cat/._1.png", "cat/.hidden/1.png"] {
        write_picture(&dir.path().join(name), (3, 4), 0);
    }
    fs::write(dir.path().join("cat/._1.png"), "of macOS").unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    write_picture(&elsewhere.path().join("1.png"), (3, 4), 0);
    std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("emu")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("dog/more")).unwrap();
    let folder = load(dir.path()).unwrap();
    assert_eq!(folder.classes, ["cat", "dog", "emu"]);
    assert_eq!(Vec::<i64>::try_from(&folder.all.labels).unwrap(), [0, 0, 1, 1, 1, 2]);
}

#[test]
fn grey_pictures_of_other_sizes_go_through_loader_and_net() {
    let _turn = seeded(0);
    let dir = tempfile::tempdir().unwrap();
    write_two_classes(dir.path());
    let options = ImageFolderOptions { size: 18, channels: Channels::Grey, ..Default::default() };
    let folder = ImageFolder::load(dir.path(), &options).unwrap();
    let augment = Augment { flip: 1.0, crop_padding: 2, seed: 0 };
    let options = LoaderOptions { augment, ..Default::default() };
    let mut loader = DataLoader::new(&folder.all, options).unwrap();
    let batch = loader.epoch().next().unwrap();
    assert_eq!(batch.images.size(), [4, 1, 18, 18]);
    let net_options = CifarNetOptions { channels: 1, size: 18, classes: 2, ..Default::default() };
    let net = cifar10_net_with(&nn::VarStore::new(Device::Cpu).root(), net_options);
    let logits = net.forward(&batch.images);
    assert_eq!(logits.size(), [4, 2]);
    let grid =
        prediction_grid(&batch.images, &logits, &batch.labels, &folder.classes, Default::default())
            .unwrap();
    assert_eq!(grid.predictions.len(), 4);
    assert_eq!(evaluate(&net, &mut loader, &folder.classes).unwrap().total(), 4);
    let mean = [0.1, 0.2, 0.3];
    let transform = Normalize { mean, ..Default::default() };
    let error = transform.apply(&folder.all.images).unwrap_err().to_string();
    assert!(error.contains("option mean must be three equal numbers for grey"), "{error}");
}
