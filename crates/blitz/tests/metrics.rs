//! Accuracy, confusion, mistakes: counted by hand, drawn and described.
#![allow(clippy::unwrap_used)]

mod common;

use blitz::data::split::Split;
use blitz::prelude::*;
use common::numbered_split;

const NAMES: [&str; 4] = ["zero", "one", "two", "three"];

/// Picture i is all i; its label is given. The "net" says class 1 up to i = 3 and class 2 beyond,
/// the more surely the larger i is.
fn split() -> Split {
    let mut split = numbered_split(6);
    split.labels = Tensor::from_slice(&[0i64, 1, 1, 2, 2, 2]);
    split
}

fn loader(split: &Split) -> DataLoader {
    DataLoader::new(split, LoaderOptions { batch_size: 4, ..LoaderOptions::default() }).unwrap()
}

fn net() -> impl Module {
    nn::func(|images| {
        let number = (images.select(1, 0).select(1, 0).select(1, 0) + 1.0) * 127.5;
        let large = number.gt(3.5).to_kind(Kind::Float);
        let (one, two) = ((1.0 - &large) * (&number + 1.0), &large * (&number + 1.0));
        Tensor::stack(&[large.zeros_like(), one, two, large.zeros_like()], 1)
    })
}

#[test]
fn accuracy_is_counted_per_class() {
    let (split, net) = (split(), net());
    let evaluation = evaluate(&net, &mut loader(&split), &NAMES).unwrap();
    assert_eq!(evaluation.confusion, [[0, 1, 0, 0], [0, 2, 0, 0], [0, 1, 2, 0], [0, 0, 0, 0]]);
    assert_eq!((evaluation.correct(), evaluation.total()), (4, 6));
    assert_eq!(evaluation.class_accuracy(2), Some(2.0 / 3.0));
    assert_eq!(evaluation.class_accuracy(3), None);
    assert_eq!(
        evaluation.to_string(),
        "Accuracy of the network on the 6 test images: 66 %\n\
         Accuracy for class: zero  is 0.0 %\n\
         Accuracy for class: one   is 100.0 %\n\
         Accuracy for class: two   is 66.7 %\n\
         Accuracy for class: three is unknown, no image\n"
    );
}

#[test]
fn mistakes_are_listed_from_the_surest_on() {
    let (split, net) = (split(), net());
    let predictions = predict(&net, &mut loader(&split), &NAMES).unwrap();
    assert_eq!(Vec::<i64>::try_from(&predictions.predicted).unwrap(), [1, 1, 1, 1, 2, 2]);
    assert_eq!(predictions.probabilities.size(), [6, 4]);
    let sums = predictions.probabilities.sum_dim_intlist(1, false, Kind::Float);
    assert!(sums.allclose(&sums.ones_like(), 1e-6, 0.0, false));
    // Logits [0, i + 1, 0, 0] for picture i.
    let sure = |i: f64| (i + 1.0).exp() / ((i + 1.0).exp() + 3.0);
    let mistakes = predictions.most_confident_mistakes(10);
    let found: Vec<_> = mistakes.iter().map(|m| (m.index, m.label, m.predicted)).collect();
    assert_eq!(found, [(3, 2, 1), (0, 0, 1)]);
    for mistake in &mistakes {
        assert!((mistake.probability - sure(mistake.index as f64)).abs() < 1e-6, "{mistake:?}");
        let rest = (1.0 - mistake.probability) / 3.0;
        assert!((mistake.label_probability - rest).abs() < 1e-6, "{mistake:?}");
    }
    assert_eq!(predictions.most_confident_mistakes(1), mistakes[..1]);
    let grid = predictions.mistake_grid(&split, 5).unwrap();
    assert_eq!(
        grid.alt(),
        "A grid of 2 pictures in 1 row and 2 columns with the net's predictions, 0 of 2 right. \
         Row by row: one? 95 % (is two), wrong; one? 48 % (is zero), wrong."
    );
}

#[test]
fn the_pictures_say_in_words_what_they_show() {
    let evaluation = evaluate(&net(), &mut loader(&split()), &NAMES).unwrap();
    let bars = evaluation.accuracy_bars().unwrap();
    assert_eq!(
        bars.alt(),
        "Accuracy by class; the line is all 6 images: 66.7 %. zero 0.0 %, one 100.0 %, \
         two 66.7 %, three without an image."
    );
    let heatmap = evaluation.confusion_heatmap().unwrap();
    assert_eq!(
        heatmap.alt(),
        "Confusion matrix of 6 images in 4 classes. zero: 0 of 1 right, most often taken for \
         one (1). one: 2 of 2 right. two: 2 of 3 right, most often taken for one (1). \
         three: 0 of 0 right."
    );
    // The cell of "one" taken for "one" is the darkest shade, that of "one" for "zero" the lightest.
    let image = png(&heatmap);
    assert_eq!(image.0[pixel(&image, 112 + 48 + 2, 84 + 48 + 2)..][..3], [8, 64, 129]);
    assert_eq!(image.0[pixel(&image, 112 + 2, 84 + 48 + 2)..][..3], [247, 251, 255]);
    // The scale, from dark to light.
    assert_eq!(image.0[pixel(&image, 112 + 4 * 48 + 30, 84)..][..3], [8, 64, 129]);
    assert_eq!(image.0[pixel(&image, 112 + 4 * 48 + 30, 84 + 4 * 48 - 1)..][..3], [247, 251, 255]);
    // The bar of "one" is full, that of "zero" empty.
    let image = png(&bars);
    assert_eq!(image.0[pixel(&image, 470, 44 + 26 + 13)..][..3], [0, 114, 178]);
    assert_eq!(image.0[pixel(&image, 470, 44 + 13)..][..3], [236, 236, 236]);
}

/// RGB bytes and the width.
fn png(picture: &Picture) -> (Vec<u8>, usize) {
    let image = image::load_from_memory(picture.png()).unwrap().to_rgb8();
    (image.as_raw().clone(), image.width() as usize)
}

fn pixel(image: &(Vec<u8>, usize), x: usize, y: usize) -> usize {
    3 * (y * image.1 + x)
}

#[test]
fn what_does_not_fit_is_named() {
    let (split, net) = (split(), net());
    let text = predict(&net, &mut loader(&split), &NAMES[..3]).unwrap_err().to_string();
    assert!(text.contains("[4, 3]") && text.contains("[4, 4]"), "{text}");
    let two = nn::func(|images: &Tensor| {
        images
            .mean_dim([1i64, 2, 3].as_slice(), false, Kind::Float)
            .unsqueeze(1)
            .expand([-1, 2], false)
    });
    let text = predict(&two, &mut loader(&split), &NAMES[..2]).unwrap_err().to_string();
    assert!(text.contains("labels below 2") && text.contains("the label 2"), "{text}");

    let predictions = predict(&net, &mut loader(&split), &NAMES).unwrap();
    let mut other = split;
    other.labels = Tensor::from_slice(&[0i64, 1, 1, 2, 2, 3]);
    let text = predictions.mistake_grid(&other, 4).unwrap_err().to_string();
    assert!(text.contains("other labels"), "{text}");
    let text = predictions.mistake_grid(&self::split(), 0).unwrap_err().to_string();
    assert!(text.contains("count must be at least 1"), "{text}");
    let none = Evaluation { classes: vec!["a".to_owned()], confusion: vec![vec![0]] };
    assert!(none.accuracy_bars().unwrap_err().to_string().contains("at least 1 image"));
    assert!(none.confusion_heatmap().unwrap_err().to_string().contains("at least 1 image"));
}
