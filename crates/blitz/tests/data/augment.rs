//! Flips and crops: each picture that comes out is a legal one, and each legal one comes out.

use std::collections::HashSet;

use crate::common::values;
use blitz::prelude::*;

const HEIGHT: i64 = 3;
const WIDTH: i64 = 5;

/// `count` times the same picture, 3 high and 5 wide, u8: every value its own, and not 0.
fn pictures(count: i64) -> Tensor {
    let one = Tensor::arange(3 * HEIGHT * WIDTH, (Kind::Int64, Device::Cpu)) + 1;
    one.to_kind(Kind::Uint8).view([1, 3, HEIGHT, WIDTH]).repeat([count, 1, 1, 1])
}

/// The picture moved by `down` and `right`, black where nothing was, and then perhaps mirrored.
fn by_hand(down: i64, right: i64, mirrored: bool) -> Vec<i64> {
    let mut picture = Vec::new();
    for channel in 0..3 {
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                let x = if mirrored { WIDTH - 1 - x } else { x };
                let (y, x) = (y + down, x + right);
                let inside = (0..HEIGHT).contains(&y) && (0..WIDTH).contains(&x);
                let value = channel * HEIGHT * WIDTH + y * WIDTH + x + 1;
                picture.push(if inside { value } else { 0 });
            }
        }
    }
    picture
}

fn legal(padding: i64, mirrored: &[bool]) -> HashSet<Vec<i64>> {
    let mut all = HashSet::new();
    for down in -padding..=padding {
        for right in -padding..=padding {
            all.extend(mirrored.iter().map(|mirrored| by_hand(down, right, *mirrored)));
        }
    }
    all
}

/// The pictures as numbers, one list each.
fn lists(images: &Tensor) -> Vec<Vec<i64>> {
    let list =
        |index| Vec::try_from(images.get(index).to_kind(Kind::Int64).flatten(0, -1)).unwrap();
    (0..images.size()[0]).map(list).collect()
}

#[test]
fn all_legal_flips_and_crops_occur_and_no_other() {
    for (augment, mirrored) in [
        (Augment { flip: 0.5, crop_padding: 2, seed: 1 }, &[false, true][..]),
        (Augment { flip: 0.0, crop_padding: 1, seed: 2 }, &[false]),
        (Augment { flip: 1.0, crop_padding: 1, seed: 3 }, &[true]),
        (Augment { flip: 0.5, crop_padding: 0, seed: 4 }, &[false, true]),
        (Augment::default(), &[false]),
    ] {
        let images = pictures(1_000);
        let got = augment.apply(&images).unwrap();
        assert_eq!((got.size(), got.kind()), (images.size(), Kind::Uint8));
        let got: HashSet<_> = lists(&got).into_iter().collect();
        assert_eq!(got, legal(augment.crop_padding, mirrored), "{augment:?}");
        assert_eq!(images, pictures(1_000), "the input was modified");
    }
}

#[test]
fn the_probability_is_kept_and_places_are_equally_frequent() {
    let augment = Augment { flip: 0.2, crop_padding: 1, seed: 5 };
    let got = lists(&augment.apply(&pictures(9_000)).unwrap());
    let count = |wanted: &[bool], padding| {
        let wanted = legal(padding, wanted);
        got.iter().filter(|picture| wanted.contains(*picture)).count()
    };
    // Within four standard deviations of 1,800 and of 1,000.
    assert!(count(&[true], 1).abs_diff(1_800) < 152, "{}", count(&[true], 1));
    assert!(count(&[false, true], 0).abs_diff(1_000) < 120, "{}", count(&[false, true], 0));
}

#[test]
fn f32_pictures_change_as_their_bytes_do() {
    let augment = Augment { flip: 0.5, crop_padding: 2, seed: 6 };
    let bytes = augment.apply(&pictures(50)).unwrap();
    let floats = augment.apply(&(pictures(50).to_kind(Kind::Float) / 255)).unwrap();
    assert_eq!(floats.kind(), Kind::Float);
    assert_eq!(values(&(floats * 255).round()), values(&bytes));
}

/// Picture i is i + 1 everywhere, so that labels can be read off.
fn labelled(count: i64) -> Split {
    let labels = Tensor::arange(count, (Kind::Int64, Device::Cpu));
    let images = (&labels + 1).to_kind(Kind::Uint8).view([count, 1, 1, 1]);
    Split { images: images.expand([count, 3, HEIGHT, WIDTH], true).contiguous(), labels }
}

fn loader(augment: Augment, batch_size: i64) -> DataLoader {
    let options = LoaderOptions {
        shuffle: Order::Shuffled { seed: 0 },
        transform: Normalize { mean: [0.0; 3], std: [1.0 / 255.0; 3] },
        augment,
        batch_size,
        ..Default::default()
    };
    DataLoader::new(&labelled(20), options).unwrap()
}

fn epoch_of(loader: &mut DataLoader) -> (Tensor, Tensor) {
    let (images, labels): (Vec<_>, Vec<_>) =
        loader.epoch().map(|batch| (batch.images, batch.labels)).unzip();
    (Tensor::cat(&images, 0), Tensor::cat(&labels, 0))
}

#[test]
fn labels_follow_their_pictures() {
    let (images, labels) =
        epoch_of(&mut loader(Augment { flip: 0.5, crop_padding: 1, seed: 0 }, 3));
    // The middle pixel stays inside with a padding of 1.
    let middle = images.select(2, 1).select(2, 2).select(1, 0);
    assert_eq!(values(&middle.round()), values(&(labels + 1)));
}

#[test]
fn choices_depend_on_seed_and_epoch_but_not_on_the_batch_size() {
    let augment = Augment { flip: 0.5, crop_padding: 2, seed: 1 };
    let mut by_three = loader(augment, 3);
    let (first, second) = (epoch_of(&mut by_three).0, epoch_of(&mut by_three).0);
    let mut by_seven = loader(augment, 7);
    assert_eq!(epoch_of(&mut by_seven).0, first);
    assert_eq!(epoch_of(&mut by_seven).0, second);
    let other = epoch_of(&mut loader(Augment { seed: 2, ..augment }, 3)).0;
    assert_ne!(other, first);
    // Epochs differ in their choices, not only in their order: each picture's own black pixels.
    let black = |images: &Tensor, order: &Tensor| {
        let sorted = images.index_select(0, &order.argsort(0, false));
        values(&sorted.eq(0.0).to_kind(Kind::Int64))
    };
    let mut again = loader(augment, 20);
    let ((a, a_labels), (b, b_labels)) = (epoch_of(&mut again), epoch_of(&mut again));
    assert_ne!(black(&a, &a_labels), black(&b, &b_labels));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let images = pictures(1);
    let message = |augment: Augment| augment.apply(&images).unwrap_err().to_string();
    for flip in [-0.1, 1.5, f64::NAN] {
        let text = message(Augment { flip, ..Default::default() });
        assert!(text.contains("flip must be a probability from 0 to 1"), "{text}");
        assert!(text.ends_with(&format!("got {flip}")), "{text}");
    }
    for crop_padding in [-1, 4] {
        let text = message(Augment { crop_padding, ..Default::default() });
        assert!(text.contains("crop_padding must be from 0 to 3"), "{text}");
        assert!(text.ends_with(&format!("got {crop_padding}")), "{text}");
    }
    let options = LoaderOptions {
        augment: Augment { flip: 2.0, ..Default::default() },
        ..Default::default()
    };
    assert!(DataLoader::new(&labelled(4), options).unwrap_err().to_string().contains("got 2"));
    let flat = Tensor::zeros([3, 4, 4], (Kind::Uint8, Device::Cpu));
    assert!(Augment::default().apply(&flat).unwrap_err().to_string().contains("[3, 4, 4]"));
}
