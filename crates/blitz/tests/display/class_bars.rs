//! The likeliest classes as bars.

use blitz::prelude::*;

const NAMES: [&str; 4] = ["bird", "cat", "dog", "鸟"];

#[test]
fn the_likeliest_come_first_with_their_softmax() {
    let logits = Tensor::from_slice2(&[[1.0f32, 3.0, -1.0, 1.0]]);
    let before = logits.copy();
    let bars = class_bars(&logits, &NAMES, &ClassBarsOptions::default()).unwrap();
    let classes: Vec<usize> = bars.likeliest.iter().map(|one| one.class).collect();
    assert_eq!(classes, [1, 0, 3, 2]);
    let sum: f64 = [1f64, 3.0, -1.0, 1.0].iter().map(|logit| logit.exp()).sum();
    assert!((bars.likeliest[0].probability - 3f64.exp() / sum).abs() < 1e-9);
    assert_eq!(
        bars.picture.alt(),
        "The likeliest classes: cat 77.6 %, bird 10.5 %, 鸟 10.5 %, dog 1.4 %."
    );
    assert_eq!(logits, before);
    let options = ClassBarsOptions { count: 1, title: "What it is".to_owned() };
    let one = class_bars(&logits.view(-1), &NAMES, &options).unwrap();
    assert_eq!(one.picture.alt(), "What it is: cat 77.6 %.");
    assert_eq!(bars.picture.height() - one.picture.height(), 3 * 26);
}

#[test]
fn a_bar_is_as_long_as_its_probability_and_names_have_room() {
    let logits = Tensor::from_slice(&[0.75f64.ln(), 0.25f64.ln()]);
    let long = "Epipremnum aureum, the plant on the window-sill".to_owned();
    let bars = class_bars(&logits, &["ivy".to_owned(), long], &Default::default()).unwrap();
    let pixels = image::load_from_memory(bars.picture.png()).unwrap().to_rgb8();
    assert!(pixels.width() > 700, "{}", pixels.width());
    let row = |row: u32| {
        let y = 44 + 26 * row + 13;
        (0..pixels.width()).filter(|x| pixels.get_pixel(*x, y).0 == [0, 114, 178]).count()
    };
    let (first, second) = (row(0) as i64, row(1) as i64);
    assert!((first - 3 * second).abs() <= 3, "{first} and {second}");
}

#[test]
fn what_are_no_logits_of_one_picture_is_refused() {
    let message = |logits: &Tensor| {
        class_bars(logits, &NAMES, &ClassBarsOptions::default()).unwrap_err().to_string()
    };
    let float = (Kind::Float, Device::Cpu);
    assert!(message(&Tensor::zeros([2, 4], float)).contains("[1, 4], got Float of shape [2, 4]"));
    assert!(message(&Tensor::zeros([3], float)).contains("got Float of shape [3]"));
    assert!(message(&Tensor::zeros([4], (Kind::Int64, Device::Cpu))).contains("got Int64"));
    assert!(message(&(Tensor::zeros([4], float) / 0)).contains("finite"));
    let none = ClassBarsOptions { count: 0, ..Default::default() };
    let error = class_bars(&Tensor::zeros([4], float), &NAMES, &none).unwrap_err();
    assert_eq!(error.to_string(), "option count must be at least 1, got 0");
}
