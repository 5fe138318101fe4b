//! The tutorial's net for other images and classes.

use crate::common::seeded;
use blitz::prelude::*;

#[test]
fn the_net_fits_other_channels_sizes_and_classes() {
    let _turn = seeded(0);
    for (channels, size, classes, side) in
        [(1, 16, 2, 1), (3, 17, 3, 1), (1, 20, 4, 2), (3, 64, 5, 13), (2, 33, 1, 5)]
    {
        let options = CifarNetOptions { width: 7, channels, size, classes };
        let vs = nn::VarStore::new(Device::Cpu);
        let net = cifar10_net_with(&vs.root(), options);
        assert_eq!(net.fc1.weight.size(), [120, 16 * side * side], "{options:?}");
        let images = Tensor::zeros([2, channels, size, size], (Kind::Float, Device::Cpu));
        assert_eq!(net.forward(&images).size(), [2, classes], "{options:?}");
    }
    let vs = nn::VarStore::new(Device::Cpu);
    cifar10_net_with(&vs.root(), CifarNetOptions::default());
    assert_eq!(count_parameters(&vs), 62_006);
}

#[test]
fn sizes_that_leave_nothing_are_refused_in_words() {
    let message = |options: CifarNetOptions| {
        let vs = nn::VarStore::new(Device::Cpu);
        let panic = std::panic::catch_unwind(|| cifar10_net_with(&vs.root(), options)).unwrap_err();
        panic.downcast_ref::<String>().unwrap().clone()
    };
    for size in [15, 8, 0, -3] {
        let text = message(CifarNetOptions { size, ..Default::default() });
        let expected = format!("a size of at least 16 pixels, got {size}:");
        assert!(text.contains(&expected), "{text}");
    }
    let text = message(CifarNetOptions { classes: 0, ..Default::default() });
    assert!(text.contains("classes of at least 1"), "{text}");
}
