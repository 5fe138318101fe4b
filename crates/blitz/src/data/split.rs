//! Pictures with their labels, as a whole: to learn from, or to measure on.

use tch::Tensor;

/// Pictures and their labels.
#[derive(Debug)]
pub struct Split {
    /// u8 `[N, C, H, W]`, 0 to 255, on the CPU; C is 3, or 1 for grey pictures. CIFAR-10 has
    /// `[N, 3, 32, 32]`.
    pub images: Tensor,
    /// i64 `[N]`, indices into the names of the classes ([`CLASSES`](super::cifar10::CLASSES), or an
    /// [`ImageFolder`](super::image_folder::ImageFolder)'s `classes`), on the CPU.
    pub labels: Tensor,
}

impl Split {
    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.labels.numel()
    }

    /// Whether there is no picture.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first `count` pictures, or all where there are fewer. They share their memory with
    /// this split.
    pub fn take(&self, count: usize) -> Split {
        let count = count.min(self.len()) as i64;
        Split { images: self.images.narrow(0, 0, count), labels: self.labels.narrow(0, 0, count) }
    }
}
