//! Pictures with predictions: values, words, colours, and what is refused.

use blitz::prelude::*;

const NAMES: [&str; 3] = ["cat", "dog", "ship"];
const RED: usize = 0;
const GREEN: usize = 1;

/// Three grey levels, one for each picture: no pixel is green or red.
fn images(channels: i64) -> Tensor {
    let levels = Tensor::from_slice(&[90u8, 150, 210]).view([3, 1, 1, 1]);
    levels.expand([3, channels, 6, 4], false).contiguous()
}

/// The softmax of ln(p) is p: 0.83 for cat, 0.61 for dog, 0.5 for ship.
fn logits() -> Tensor {
    Tensor::from_slice2(&[[0.83, 0.1, 0.07], [0.3, 0.61, 0.09], [0.25, 0.25, 0.5]]).log()
}

fn labels() -> Tensor {
    Tensor::from_slice(&[0i64, 0, 2])
}

fn grid(options: PredictionGridOptions) -> PredictionGrid {
    prediction_grid(&images(3), &logits(), &labels(), &NAMES, options).unwrap()
}

/// How many pixels are nearer to this channel, 0 for red and 1 for green, than to grey. The edges
/// of letters are paler than their colour.
fn count(picture: &Picture, channel: usize) -> usize {
    let image = image::load_from_memory(picture.png()).unwrap().into_rgb8();
    let stands_out = |pixel: [u8; 3]| {
        (0..3).all(|other| other == channel || pixel[channel] > pixel[other].saturating_add(30))
    };
    image.pixels().filter(|pixel| stands_out(pixel.0)).count()
}

#[test]
fn values_and_words_say_what_is_right() {
    let grid = grid(PredictionGridOptions::default());
    let classes = grid.predictions.iter().map(|one| (one.label, one.predicted, one.is_right()));
    assert_eq!(classes.collect::<Vec<_>>(), [(0, 0, true), (0, 1, false), (2, 2, true)]);
    for (prediction, expected) in grid.predictions.iter().zip([0.83, 0.61, 0.5]) {
        assert!((prediction.probability - expected).abs() < 1e-9, "{prediction:?}");
    }
    assert_eq!(grid.right(), 2);
    assert_eq!(
        grid.picture.alt(),
        "A grid of 3 pictures in 1 row and 3 columns with the net's predictions, 2 of 3 right. \
         Row by row: cat 83 %, right; dog? 61 % (is cat), wrong; ship 50 %, right."
    );
}

#[test]
fn right_is_green_and_wrong_is_red() {
    let both = grid(PredictionGridOptions::default()).picture;
    assert!(count(&both, GREEN) > 10 && count(&both, RED) > 10);
    // The first alone is right.
    let first = grid(PredictionGridOptions { count: 1, ..Default::default() });
    assert_eq!((first.predictions.len(), first.right()), (1, 1));
    assert!(count(&first.picture, GREEN) > 10);
    assert_eq!(count(&first.picture, RED), 0);
}

#[test]
fn grey_and_normalised_pictures_look_like_colour_bytes() {
    let expected = grid(PredictionGridOptions::default());
    let draw = |images: &Tensor| {
        prediction_grid(images, &logits(), &labels(), &NAMES, Default::default()).unwrap()
    };
    assert_eq!(draw(&images(1)), expected);
    assert_eq!(draw(&((images(1).to_kind(Kind::Float) / 255 - 0.5) / 0.5)), expected);
    // Logits as they come out of a net.
    let recorded = logits().to_kind(Kind::Float).set_requires_grad(true) * 1.0;
    let options = PredictionGridOptions::default();
    let drawn = prediction_grid(&images(3), &recorded, &labels(), &NAMES, options).unwrap();
    assert_eq!(drawn.picture, expected.picture);
}

#[test]
fn what_does_not_fit_is_refused() {
    let message = |images: &Tensor, logits: &Tensor, labels: &Tensor, names: &[&str]| {
        let options = PredictionGridOptions::default();
        prediction_grid(images, logits, labels, names, options).unwrap_err().to_string()
    };
    let (images, logits, labels) = (images(3), logits(), labels());
    assert!(message(&images, &logits, &labels, &[]).contains("expected the name of each class"));
    let text = message(&images, &logits, &labels, &NAMES[..2]);
    assert!(text.contains("logits of shape [3, 2]") && text.contains("[3, 3]"), "{text}");
    let text = message(&images, &logits.argmax(1, false), &labels, &NAMES);
    assert!(text.contains("Int64 logits of shape [3]"), "{text}");
    let text = message(&images, &logits, &labels.narrow(0, 0, 2), &NAMES);
    assert!(text.contains("i64 labels of shape [3]") && text.contains("shape [2]"), "{text}");
    for wrong in [-1, 3] {
        let labels = Tensor::from_slice(&[0i64, wrong, 2]);
        let text = message(&images, &logits, &labels, &NAMES);
        assert!(text.contains("labels from 0 to 2"), "{text}");
        assert!(text.ends_with(&format!("got label {wrong} for picture 1")), "{text}");
    }
    let text = message(&images, &(&logits * f64::NAN), &labels, &NAMES);
    assert!(text.contains("finite logits, got NaN or infinite ones for picture 0; a"), "{text}");
    let none = |tensor: &Tensor| tensor.narrow(0, 0, 0);
    let text = message(&none(&images), &none(&logits), &none(&labels), &NAMES);
    assert!(text.contains("at least one picture"), "{text}");
    let text = message(&images.get(0), &logits, &labels, &NAMES);
    assert!(text.contains("[N, C, H, W]") && text.contains("[3, 6, 4]"), "{text}");
    let zero = PredictionGridOptions { count: 0, ..Default::default() };
    let text = prediction_grid(&images, &logits, &labels, &NAMES, zero).unwrap_err().to_string();
    assert_eq!(text, "option count must be at least 1, got 0");
}
