//! Pictures of tensors on the device.

use blitz::prelude::*;

use crate::{assert_near, device, formula, formula_split};

#[test]
#[ignore = "needs a CUDA device"]
fn make_grid_stays_on_the_device() {
    let pictures = |channels: i64| formula(&[7, channels, 5, 9], device());
    let range = Scaling::Range { low: -3.0, high: 8.0 };
    for scaling in [Scaling::Keep, Scaling::MinMax, Scaling::MinMaxEach, range] {
        for channels in [3, 1] {
            let options = GridOptions { nrow: 3, padding: 1, pad_value: 0.5, scaling };
            let images = pictures(channels);
            let got = make_grid(&images, &options).unwrap();
            assert_eq!((got.device(), got.size()), (device(), vec![3, 19, 31]));
            let expected = make_grid(&images.to_device(Device::Cpu), &options).unwrap();
            assert_near(&got, &expected, 1e-5, 1e-6);
        }
    }
    let bytes = formula_split(5).images.to_device(device());
    let got = make_grid(&bytes, &GridOptions::default()).unwrap();
    let expected = make_grid(&bytes.to_device(Device::Cpu), &GridOptions::default()).unwrap();
    assert_eq!(got.to_device(Device::Cpu), expected);
}

#[test]
#[ignore = "needs a CUDA device"]
fn image_grids_are_drawn_alike() {
    let bytes = formula_split(3).images.narrow(2, 0, 20);
    let labels = ["one", "two", "three"];
    let options = ImageGridOptions { columns: 2, scale: 1, ..ImageGridOptions::default() };
    for images in [bytes.shallow_clone(), Normalize::default().apply(&bytes).unwrap()] {
        let got = image_grid(&images.to_device(device()), &labels, options).unwrap();
        assert_eq!(got, image_grid(&images, &labels, options).unwrap());
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn prediction_grids_say_the_same() {
    let Split { images, labels } = formula_split(4);
    let logits = formula(&[4, 10], Device::Cpu);
    let draw = |device: Device| {
        let [images, logits, labels] = [&images, &logits, &labels].map(|t| t.to_device(device));
        prediction_grid(&images, &logits, &labels, &CLASSES, Default::default()).unwrap()
    };
    assert_eq!(draw(device()), draw(Device::Cpu));
    // Images and logits need not be at the same place.
    let logits = logits.to_device(device());
    let mixed = prediction_grid(&images, &logits, &labels, &CLASSES, Default::default());
    assert_eq!(mixed.unwrap().predictions, draw(Device::Cpu).predictions);
}
