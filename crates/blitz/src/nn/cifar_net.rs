//! The tutorial's net for CIFAR-10.

use tch::Tensor;
use tch::nn::{Module, Path};

use super::{Conv2d, Linear, MaxPool2d, conv2d, linear};

/// The tutorial's net, 62,006 parameters: `[N, 3, 32, 32]` f32 images to `[N, 10]` logits.
/// [`CifarNetOptions`] makes it for other images and classes.
///
/// ```no_run
/// use blitz::prelude::*;
///
/// blitz::tch::manual_seed(0);
/// let vs = nn::VarStore::new(Device::Cpu);
/// let net = cifar10_net(&vs.root());
/// let logits = net.forward(&Tensor::zeros([4, 3, 32, 32], (Kind::Float, Device::Cpu)));
/// assert_eq!(logits.size(), [4, 10]);
/// ```
#[derive(Debug)]
pub struct CifarNet {
    /// 3 to 6 channels (or those of [`CifarNetOptions`]), kernel 5.
    pub conv1: Conv2d,
    /// 6 (or the width) to 16 channels, kernel 5.
    pub conv2: Conv2d,
    /// 16 · 5 · 5 (for images of 32 pixels) to 120 features.
    pub fc1: Linear,
    /// 120 to 84 features.
    pub fc2: Linear,
    /// 84 features to 10 logits, or one for each class.
    pub fc3: Linear,
}

/// What the tutorial's exercises, and pictures of one's own, change of the net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CifarNetOptions {
    /// Channels between the two convolutions, at least 1: the second argument of the first
    /// `nn.Conv2d` and the first one of the second; the tutorial's 6.
    pub width: i64,
    /// Channels of the images, at least 1: 3 for colours, 1 for grey ones; 3.
    pub channels: i64,
    /// Side of the images in pixels, at least 16, below which nothing is left for the second pooling;
    /// 32.
    pub size: i64,
    /// Classes to tell apart, at least 1; 10.
    pub classes: i64,
}

impl Default for CifarNetOptions {
    fn default() -> CifarNetOptions {
        CifarNetOptions { width: 6, channels: 3, size: 32, classes: 10 }
    }
}

impl CifarNetOptions {
    fn check(&self) {
        let CifarNetOptions { width, channels, size, classes } = *self;
        assert!(
            width >= 1 && channels >= 1 && classes >= 1,
            "CifarNet expected width, channels and classes of at least 1, got {self:?}"
        );
        assert!(
            self.side_after_convolutions() >= 1,
            "CifarNet expected images of a size of at least 16 pixels, got {size}: each of its two \
             convolutions takes 4 pixels off, each pooling halves. Load larger images (the option \
             size of ImageFolder)"
        );
    }

    /// Side of what `fc1` gets.
    fn side_after_convolutions(&self) -> i64 {
        let pooled = |size: i64| (size - 4) / 2;
        pooled(pooled(self.size))
    }
}

/// Builds a [`CifarNet`] with parameters named `conv1.weight` and so on below `path`.
pub fn cifar10_net(path: &Path) -> CifarNet {
    cifar10_net_with(path, CifarNetOptions::default())
}

/// As [`cifar10_net`], with options.
///
/// ```
/// use blitz::nn::{CifarNetOptions, VarStore, cifar10_net_with, count_parameters};
///
/// let vs = VarStore::new(blitz::tch::Device::Cpu);
/// let net = cifar10_net_with(&vs.root(), CifarNetOptions { width: 64, ..Default::default() });
/// assert_eq!(net.conv2.weight.size(), [16, 64, 5, 5]);
/// assert_eq!(count_parameters(&vs), 62_006 + (64 - 6) * (3 * 5 * 5 + 1 + 16 * 5 * 5));
/// ```
///
/// # Panics
///
/// Where `width`, `channels` or `classes` is below 1, and where `size` is below 16.
pub fn cifar10_net_with(path: &Path, options: CifarNetOptions) -> CifarNet {
    options.check();
    let CifarNetOptions { width, channels, classes, .. } = options;
    let side = options.side_after_convolutions();
    CifarNet {
        conv1: conv2d(path / "conv1", channels, width, 5),
        conv2: conv2d(path / "conv2", width, 16, 5),
        fc1: linear(path / "fc1", 16 * side * side, 120),
        fc2: linear(path / "fc2", 120, 84),
        fc3: linear(path / "fc3", 84, classes),
    }
}

impl Module for CifarNet {
    fn forward(&self, images: &Tensor) -> Tensor {
        let pool = MaxPool2d::new(2);
        images
            .apply(&self.conv1) // [N, 3, 32, 32] -> [N, 6, 28, 28]
            .relu()
            .apply(&pool) // -> [N, 6, 14, 14]
            .apply(&self.conv2) // -> [N, 16, 10, 10]
            .relu()
            .apply(&pool) // -> [N, 16, 5, 5]
            .flatten(1, -1) // -> [N, 400]
            .apply(&self.fc1)
            .relu()
            .apply(&self.fc2)
            .relu()
            .apply(&self.fc3) // -> [N, 10]
    }
}
