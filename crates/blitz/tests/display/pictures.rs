//! The pictures: make_grid against torchvision, and what the drawn PNG files hold.

use crate::common::{difference, floats, integers, reference, values};
use blitz::prelude::*;
use serde_json::Value;

/// Values k * 7 mod 256 over 255, as make_reference.py makes them.
fn ramp(shape: &[i64]) -> Tensor {
    let count: i64 = shape.iter().product();
    let bytes = (Tensor::arange(count, (Kind::Int64, Device::Cpu)) * 7).remainder(256);
    bytes.to_kind(Kind::Float).view(shape) / 255
}

fn grid_options(options: &Value) -> GridOptions {
    let mut grid = GridOptions::default();
    if let Some(nrow) = options["nrow"].as_i64() {
        grid.nrow = nrow;
    }
    if let Some(padding) = options["padding"].as_i64() {
        grid.padding = padding;
    }
    if let Some(pad_value) = options["pad_value"].as_f64() {
        grid.pad_value = pad_value;
    }
    if options["normalize"].as_bool() == Some(true) {
        grid.scaling = match options["value_range"].as_array() {
            Some(_) => {
                let range = floats(&options["value_range"]);
                Scaling::Range { low: range[0], high: range[1] }
            }
            // A range that is given is the same for each.
            None if options["scale_each"].as_bool() == Some(true) => Scaling::MinMaxEach,
            None => Scaling::MinMax,
        };
    }
    grid
}

/// Width, height and RGB bytes.
fn decode(png: &[u8]) -> (u32, u32, Vec<u8>) {
    let picture = image::load_from_memory_with_format(png, image::ImageFormat::Png).unwrap();
    assert_eq!(picture.color(), image::ColorType::Rgb8);
    let rgb = picture.into_rgb8();
    (rgb.width(), rgb.height(), rgb.into_raw())
}

#[test]
fn make_grid_equals_torchvisions() {
    let cases = reference("make_grid");
    for case in cases["cases"].as_array().unwrap() {
        let images = ramp(&integers(&case["shape"]));
        let before = images.copy();
        let grid = make_grid(&images, &grid_options(&case["options"])).unwrap();
        assert_eq!(grid.size(), integers(&case["grid_shape"]), "{}", case["options"]);
        let gap = difference(&values(&grid), &floats(&case["grid"]));
        assert!(gap < 1e-6, "{gap} {} {}", case["shape"], case["options"]);
        assert_eq!(images, before);
    }
}

#[test]
fn make_grid_refuses_what_it_cannot_lay_out() {
    let message = |images: &Tensor, options| make_grid(images, &options).unwrap_err().to_string();
    let good = ramp(&[2, 3, 4, 5]);
    assert!(message(&ramp(&[3, 4, 5]), GridOptions::default()).contains("[3, 4, 5]"));
    assert!(
        message(&good.narrow(0, 0, 0), GridOptions::default()).contains("at least one picture")
    );
    assert!(message(&good, GridOptions { nrow: 0, ..Default::default() }).contains("nrow"));
    assert!(message(&good, GridOptions { padding: -1, ..Default::default() }).contains("padding"));
    for (low, high) in [(1.0, 1.0), (2.0, 1.0), (0.0, f64::NAN)] {
        let scaling = Scaling::Range { low, high };
        let text = message(&good, GridOptions { scaling, ..Default::default() });
        assert!(text.contains("the smaller one first"), "{text}");
        assert!(text.ends_with(&format!("got {low} and {high}")), "{text}");
    }
    let bytes = good.to_kind(Kind::Uint8);
    assert!(
        message(&bytes, GridOptions { scaling: Scaling::MinMax, ..Default::default() })
            .contains("Uint8")
    );
}

/// Two pictures 3 high and 2 wide, u8: every value its own.
fn two_pictures() -> Tensor {
    Tensor::arange(36, (Kind::Uint8, Device::Cpu)).view([2, 3, 3, 2]) * 7
}

fn small() -> ImageGridOptions {
    ImageGridOptions { scale: 4, padding: 5, font_size: 10, ..ImageGridOptions::default() }
}

#[test]
fn an_image_grid_holds_the_enlarged_pixels() {
    let images = two_pictures();
    let options = ImageGridOptions { columns: 1, ..small() };
    let grid = image_grid(&images, &["", ""], options).unwrap();
    let (width, height, rgb) = decode(grid.png());
    // One column of 2 * 4 pixels, two rows of 3 * 4 pixels and 15 for the label, 5 around each.
    assert_eq!((width, height), (2 * 4 + 10, 2 * (3 * 4 + 15 + 5) + 5));
    let pixel = |x: u32, y: u32| &rgb[(3 * (y * width + x)) as usize..][..3];
    for (n, y, x) in [(0, 0, 0), (0, 2, 1), (1, 1, 0)] {
        let expected: Vec<u8> = (0..3).map(|c| images.int64_value(&[n, c, y, x]) as u8).collect();
        let (left, top) = (5 + 4 * x as u32, 5 + 32 * n as u32 + 4 * y as u32);
        for (dx, dy) in [(0, 0), (3, 0), (0, 3), (3, 3)] {
            assert_eq!(pixel(left + dx, top + dy), expected, "picture {n}, row {y}, column {x}");
        }
    }
    assert_eq!(pixel(4, 5), [255; 3]);
    assert_eq!(pixel(13, 5), [255; 3]);
}

#[test]
fn normalised_images_look_like_their_bytes() {
    let images = two_pictures();
    let transform = Normalize { mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.4] };
    let options = ImageGridOptions { transform, ..small() };
    let normalised = transform.apply(&images).unwrap();
    let bytes = image_grid(&images, &["a", "b"], options).unwrap();
    assert_eq!(image_grid(&normalised, &["a", "b"], options).unwrap(), bytes);
}

#[test]
fn grey_pictures_have_three_equal_channels() {
    let images = two_pictures();
    let grey = images.narrow(1, 1, 1);
    let expected = image_grid(&grey.repeat([1, 3, 1, 1]), &["a", "b"], small()).unwrap();
    assert_eq!(image_grid(&grey, &["a", "b"], small()).unwrap(), expected);
    assert_ne!(image_grid(&images, &["a", "b"], small()).unwrap(), expected);
}

#[test]
fn labels_are_lettered_and_told() {
    let images = two_pictures();
    let draw = |labels: [&str; 2]| image_grid(&images, &labels, small()).unwrap();
    let (cat, dog) = (draw(["cat", "ship"]), draw(["dog", "ship"]));
    assert_eq!(cat, draw(["cat", "ship"]), "not deterministic");
    assert_ne!(cat.png(), dog.png());
    assert_eq!(
        cat.alt(),
        "A grid of 2 pictures in 1 row and 2 columns, labelled row by row: cat, ship."
    );
    // A long label widens its cell.
    let (narrow, ..) = decode(cat.png());
    let (wide, ..) = decode(draw(["a very long label", "ship"]).png());
    assert!(wide > narrow + 50, "{wide} {narrow}");
}

#[test]
fn an_image_grid_refuses_what_does_not_fit() {
    let images = two_pictures();
    let message = |images: &Tensor, labels: &[&str], options| {
        image_grid(images, labels, options).unwrap_err().to_string()
    };
    assert!(message(&images, &["one"], small()).contains("2 images and 1 labels"));
    assert!(message(&images.narrow(0, 0, 0), &[], small()).contains("0 images"));
    assert!(message(&images.get(0), &["a"], small()).contains("[3, 3, 2]"));
    assert!(message(&images.to_kind(Kind::Int64), &["a", "b"], small()).contains("Int64"));
    assert!(
        message(&images, &["a", "b"], ImageGridOptions { scale: 0, ..small() }).contains("scale")
    );
}

fn falling() -> Series {
    Series::new("lr 0.001", [(250.0, 2.3), (500.0, 1.5), (750.0, 1.75)])
}

#[test]
fn a_loss_plot_is_drawn_and_told() {
    let plot = loss_plot(&[falling()], LossPlotOptions::default()).unwrap();
    let (width, height, rgb) = decode(plot.png());
    assert_eq!((width, height), (640, 400));
    let line = rgb.chunks_exact(3).filter(|pixel| **pixel == [0, 114, 178]).count();
    assert!(line > 300, "{line} pixels of the line's colour");
    assert_eq!(
        plot.alt(),
        "Training loss: loss over step. lr 0.001 has 3 points, from 2.300 at 250 to 1.750 at 750; \
         its least value is 1.500 at 500."
    );
    assert_eq!(plot, loss_plot(&[falling()], LossPlotOptions::default()).unwrap());
}

#[test]
fn each_series_has_its_colour_and_one_point_is_enough() {
    let other = Series::new("lr 0.01", [(500.0, 2.0)]);
    let plot = loss_plot(&[falling(), other], LossPlotOptions::default()).unwrap();
    let (.., rgb) = decode(plot.png());
    assert!(rgb.chunks_exact(3).any(|pixel| *pixel == [213, 94, 0]), "second line missing");
    assert!(plot.alt().contains("lr 0.01 has 1 point, from 2.000 at 500"), "{}", plot.alt());
}

fn rising() -> Series {
    Series::accuracy("test", [(250.0, 0.25), (500.0, 0.5), (750.0, 0.375)])
}

/// Of the pixels of this colour, the mean column and row where the columns are within `columns`.
fn mean_place(rgb: &[u8], colour: [u8; 3], columns: std::ops::Range<usize>) -> (f64, f64) {
    let places = rgb.chunks_exact(3).enumerate().filter(|(_, pixel)| **pixel == colour);
    let places = places.map(|(index, _)| (index % 640, index / 640));
    let places: Vec<_> = places.filter(|(column, _)| columns.contains(column)).collect();
    assert!(!places.is_empty(), "{colour:?} in {columns:?}");
    let sum = places.iter().fold((0, 0), |sum, place| (sum.0 + place.0, sum.1 + place.1));
    let count = places.len() as f64;
    (sum.0 as f64 / count, sum.1 as f64 / count)
}

#[test]
fn accuracies_have_an_axis_of_their_own() {
    let options = LossPlotOptions::default();
    let losses = loss_plot(&[falling()], options.clone()).unwrap();
    let both = loss_plot(&[falling(), rising()], options.clone()).unwrap();
    assert_eq!(
        both.alt(),
        "Training loss: loss and accuracy (%) over step. lr 0.001 has 3 points, from 2.300 at 250 \
         to 1.750 at 750; its least value is 1.500 at 500. test has 3 points, from 25.0 % at 250 to \
         37.5 % at 750; its greatest value is 50.0 % at 500."
    );
    let pixels = |picture: &Picture| decode(picture.png()).2;
    // The losses are as high as without the accuracies: their axis did not change. The dots of
    // the first points, which the legend is far from.
    let dot = |rgb: &[u8], colour| {
        let left = rgb.chunks_exact(3).enumerate().filter(|(_, pixel)| **pixel == colour);
        let left = left.map(|(index, _)| index % 640).min().unwrap();
        mean_place(rgb, colour, left..left + 7)
    };
    let blue = [0, 114, 178];
    let (alone, beside) = (dot(&pixels(&losses), blue), dot(&pixels(&both), blue));
    assert!((alone.1 - beside.1).abs() < 1.0, "{alone:?} {beside:?}");
    // 25 % is a quarter of the way up, wherever the losses are.
    let orange = [213, 94, 0];
    let lines = [2.0, 20.0].map(|high| {
        let high = Series::new("high", [(250.0, high), (750.0, 0.0)]);
        dot(&pixels(&loss_plot(&[high, rising()], options.clone()).unwrap()), orange).1
    });
    assert!((lines[0] - lines[1]).abs() < 1.0, "{lines:?}");
    let hundred = Series::accuracy("test", [(250.0, 1.0), (750.0, 0.0)]);
    let top = dot(&pixels(&loss_plot(&[falling(), hundred], options.clone()).unwrap()), orange).1;
    assert!(lines[0] - top > 180.0, "{top} {lines:?}");
    // Ink right of the plot, where the axis is, and none where there are no accuracies.
    let right = |rgb: &[u8]| {
        let dark =
            |(index, pixel): &(usize, &[u8])| index % 640 > 590 && pixel.iter().all(|c| *c < 100);
        rgb.chunks_exact(3).enumerate().filter(dark).count()
    };
    assert!(
        right(&pixels(&both)) > 200 && right(&pixels(&losses)) < 50,
        "{}",
        right(&pixels(&losses))
    );
    // Alone, they have the axis on the left.
    let alone = loss_plot(&[rising()], options).unwrap();
    assert!(
        alone.alt().starts_with("Training loss: accuracy (%) over step. test has"),
        "{alone:?}"
    );
    assert!(right(&pixels(&alone)) < 50);
}

#[test]
fn a_loss_plot_refuses_what_cannot_be_drawn() {
    let message =
        |series: &[Series]| loss_plot(series, LossPlotOptions::default()).unwrap_err().to_string();
    assert!(message(&[]).contains("at least one line"));
    assert!(message(&[Series::new("none", [])]).contains("report_every"));
    assert!(message(&[Series::new("bad", [(1.0, f64::NAN)])]).contains("\"bad\""));
    let text = message(&[falling(), Series::accuracy("percent", [(1.0, 54.0)])]);
    assert!(text.contains("accuracies from 0 to 1") && text.contains("54"), "{text}");
    let tiny = LossPlotOptions { width: 10, ..Default::default() };
    assert!(loss_plot(&[falling()], tiny).unwrap_err().to_string().contains("10 x 400"));
}

#[test]
fn pictures_are_saved_as_png() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plot.png");
    let plot = loss_plot(&[falling()], LossPlotOptions::default()).unwrap();
    plot.save(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), plot.png());
    assert!(
        plot.save(dir.path().join("no/such/dir.png"))
            .unwrap_err()
            .to_string()
            .contains("could not write")
    );
}
