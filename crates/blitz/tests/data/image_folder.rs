//! Pictures in folders by class: what is loaded, in which order, and what is refused.

use std::fs;
use std::path::Path;

use blitz::prelude::*;

/// A picture whose every value differs from its neighbours, `width` x `height`, as a PNG file.
fn write_picture(path: &Path, (width, height): (u32, u32), start: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let pixels = (0..(3 * width * height) as usize).map(|k| ((start + 37 * k) % 251) as u8);
    let image = image::RgbImage::from_raw(width, height, pixels.collect()).unwrap();
    image.save(path).unwrap();
}

#[test]
fn a_folder_is_loaded_split_and_learned_from() {
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
