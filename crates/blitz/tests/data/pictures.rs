//! Pictures resized, cropped, made grey and decoded, with torchvision's numbers.

use std::path::PathBuf;

use crate::common::{crate_dir, difference, floats, integers, reference, values};
use blitz::prelude::*;
use serde_json::Value;

/// u8 `[1, C, H, W]` as `picture` in reference/make_pictures.py.
fn picture(shape: &Value) -> Tensor {
    let shape = integers(shape);
    let k = Tensor::arange(shape.iter().product::<i64>(), (Kind::Int64, Device::Cpu));
    let numbers = (&k * 37 + (&k * &k).remainder(101)).remainder(256);
    numbers.to_kind(Kind::Uint8).view([1, shape[0], shape[1], shape[2]])
}

#[test]
fn resized_pictures_are_torchvisions() {
    let cases = reference("pictures");
    let cases = cases["resized"].as_array().unwrap();
    assert!(cases.len() >= 18);
    for case in cases {
        let resize = Resize { size: case["size"].as_i64().unwrap() };
        let (images, what) = (picture(&case["shape"]), format!("{} to {resize:?}", case["shape"]));
        let before = images.copy();
        let bytes = resize.apply(&images).unwrap();
        assert_eq!(bytes.size()[2..], integers(&case["sizes"]), "{what}");
        assert!(difference(&values(&bytes), &floats(&case["pil"])) <= 1.0, "{what}");
        let first = images.narrow(1, 0, 1).to_kind(Kind::Float) / 255;
        let real = resize.apply(&first).unwrap();
        assert!(difference(&values(&real), &floats(&case["tensor"])) < 2e-6, "{what}");
        assert_eq!(images, before);
        // Colours last in memory, as files have them, is another path through libtorch.
        let last = images.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]);
        assert_eq!(resize.apply(&last).unwrap(), bytes, "{what}");
    }
}

#[test]
fn cropped_and_grey_pictures_are_torchvisions() {
    let cases = reference("pictures");
    for case in cases["cropped"].as_array().unwrap() {
        let crop = CenterCrop { size: case["size"].as_i64().unwrap() };
        let cropped = crop.apply(&picture(&case["shape"])).unwrap();
        assert_eq!(cropped.size(), [1, 3, crop.size, crop.size]);
        assert_eq!(values(&cropped), floats(&case["values"]), "{} to {crop:?}", case["shape"]);
    }
    let images = picture(&cases["grey"]["shape"]);
    let one = Grayscale::default().apply(&images).unwrap();
    assert_eq!((one.size()[1], values(&one)), (1, floats(&cases["grey"]["values"])));
    let three = Grayscale { channels: Channels::Rgb }.apply(&images).unwrap();
    assert_eq!(three, one.repeat([1, 3, 1, 1]));
    assert_eq!(Grayscale::default().apply(&one).unwrap(), one);
}

fn file(name: &str) -> PathBuf {
    crate_dir().join("tests/reference/picture_files").join(name)
}

#[test]
fn files_are_decoded_as_pil_does() {
    let files = reference("pictures");
    let files = files["files"].as_object().unwrap();
    assert!(files.len() >= 14);
    for (name, expected) in files.iter().filter(|(name, _)| *name != "sixteen_bits.png") {
        let photo = Photo::open(file(name), &PhotoOptions::default()).unwrap();
        assert_eq!(photo.image.size(), integers(&expected["shape"]), "{name}");
        // JPEG decoders round in different places.
        let tolerance = if name.ends_with(".jpg") { 4.0 } else { 0.0 };
        let far = difference(&values(&photo.image), &floats(&expected["values"]));
        assert!(far <= tolerance, "{name}: {far}");
        assert_eq!((photo.images.size(), photo.images.kind()), (vec![1, 3, 32, 32], Kind::Float));
    }
}

#[test]
fn sixteen_bits_become_the_nearest_eight() {
    // PIL cuts everything above 255 off.
    let photo = Photo::open(file("sixteen_bits.png"), &PhotoOptions::default()).unwrap();
    let numbers = Tensor::arange(9 * 14, (Kind::Int64, Device::Cpu)) * 499;
    let expected = (numbers.to_kind(Kind::Double) / 257).round().view([1, 9, 14]);
    assert_eq!(values(&photo.image), values(&expected.expand([3, 9, 14], false)));
}

#[test]
fn a_photo_is_what_resize_crop_and_normalize_make_of_it() {
    let options = PhotoOptions { size: 6, channels: Channels::Grey, ..Default::default() };
    let photo = Photo::open(file("rgb.png"), &options).unwrap();
    assert_eq!(photo.image.size(), [1, 9, 14]);
    let colours = Photo::open(file("rgb.png"), &PhotoOptions::default()).unwrap().image;
    let grey = Grayscale::default().apply(&colours.unsqueeze(0)).unwrap();
    assert_eq!(photo.image.unsqueeze(0), grey);
    let small = Resize { size: 6 }.apply(&grey).unwrap();
    let small = CenterCrop { size: 6 }.apply(&small).unwrap();
    assert_eq!(photo.images, Normalize::default().apply(&small).unwrap());
}

fn message(path: impl AsRef<std::path::Path>) -> String {
    Photo::open(path, &PhotoOptions::default()).unwrap_err().to_string()
}

#[test]
fn what_is_no_picture_is_named_with_what_helps() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let (jpeg, png) =
        (std::fs::read(file("smooth.jpg")).unwrap(), std::fs::read(file("rgb.png")).unwrap());
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0";
    for (path, expected) in [
        (file("bomb.png"), "20000 x 20000 are more than 100000000 pixels. Save it smaller"),
        (file("picture.tiff"), "Tiff cannot be read here. Open it in a picture program"),
        (write("short.jpg", &jpeg[..jpeg.len() - 9]), "the JPEG file is cut off before its end"),
        (write("short.png", &png[..png.len() - 40]), "cannot be decoded"),
        (write("a.png", "Größe und Länge".as_bytes()), "it is a text, whatever its name says"),
        (write("b.jpg", b"<!DOCTYPE html><p>404"), "it is a web page"),
        (write("c.jpg", heic), "HEIC (an iPhone's format) cannot be read here"),
        (write("d.png", b""), "the file is empty"),
        (write("e.png", &[0xff, 0xfe, 0, 1, 2, 200]), "no picture of a known format"),
        (dir.path().to_owned(), "it is a folder. Name a file"),
        (dir.path().join("none.png"), "No such file"),
    ] {
        let text = message(&path);
        let start = format!("could not read the picture {}: ", path.display());
        assert!(text.starts_with(&start) && text.contains(expected), "{text}");
    }
    // A name says nothing: this is a JPEG file.
    assert!(Photo::open(write("f.png", &jpeg), &PhotoOptions::default()).is_ok());
}

#[test]
fn sizes_that_make_no_sense_are_refused() {
    let images = Tensor::zeros([1, 3, 2, 90], (Kind::Uint8, Device::Cpu));
    for size in [0, -4, 100_000, i64::MAX] {
        for error in [
            Resize { size }.apply(&images).unwrap_err(),
            CenterCrop { size }.apply(&images).unwrap_err(),
        ] {
            assert!(error.to_string().starts_with("option size must be"), "{error}");
        }
    }
    let none = Tensor::zeros([1, 3, 0, 9], (Kind::Uint8, Device::Cpu));
    assert!(Resize { size: 3 }.apply(&none).unwrap_err().to_string().contains("[1, 3, 0, 9]"));
    let real = Tensor::zeros([1, 3, 2, 9], (Kind::Float, Device::Cpu));
    let error = Grayscale::default().apply(&real).unwrap_err().to_string();
    assert!(error.contains("u8 images, got kind Float"), "{error}");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("line.png");
    image::RgbImage::new(60_000, 1).save(&path).unwrap();
    let error = Photo::open(&path, &PhotoOptions { size: 224, ..Default::default() }).unwrap_err();
    assert!(error.to_string().contains("60000 x 1 pixels are too narrow"), "{error}");
}
