//! Pooling layers.

use std::ffi::c_char;
use std::fmt;
use std::ptr;

use tch::Tensor;
use tch::nn::Module;
use torch_sys::C_tensor;

use super::misfit::{Misfit, or_panic, refused};
use crate::error::Result;
use crate::ffi;

/// The largest value of each window of `[N, C, H, W]` or `[C, H, W]`
/// (`torch.nn.MaxPool2d`), the same for height and width. The input is not modified.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MaxPool2d {
    /// Side of the window.
    pub kernel_size: i64,
    /// Step of the window.
    pub stride: i64,
    /// Points of minus infinity added on each side, at most half the window.
    pub padding: i64,
    /// Distance between the window's points.
    pub dilation: i64,
    /// Whether windows that reach over the edge count (the output's size is rounded up).
    pub ceil_mode: bool,
}

impl MaxPool2d {
    /// Windows side by side: `nn.MaxPool2d(kernel_size)`. Sizes are divided by `kernel_size`,
    /// rounded down.
    pub fn new(kernel_size: i64) -> MaxPool2d {
        MaxPool2d { kernel_size, stride: kernel_size, padding: 0, dilation: 1, ceil_mode: false }
    }

    /// The fallible form of `forward`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Layer`] where the input is no image or smaller than the window,
    /// [`crate::Error::Torch`] for libtorch's other refusals.
    pub fn f_forward(&self, input: &Tensor) -> Result<Tensor> {
        if *self == MaxPool2d::new(2)
            && let Ok(output) = max_pool_2x2(input)
        {
            return Ok(output);
        }
        let [kernel_size, stride, padding, dilation] =
            [self.kernel_size, self.stride, self.padding, self.dilation].map(|side| [side; 2]);
        input
            .f_max_pool2d(kernel_size, stride, padding, dilation, self.ceil_mode)
            .map_err(|error| refused(format!("{self:?}"), self.misfit(input), "max pooling")(error))
    }

    fn misfit(&self, input: &Tensor) -> Option<Misfit> {
        let size = input.size();
        let misfit = |expected: String| {
            Some(Misfit { expected, got: format!("{size:?}"), hint: String::new() })
        };
        let least = self.dilation * (self.kernel_size - 1) + 1 - 2 * self.padding;
        match *size.as_slice() {
            [.., h, w] if [3, 4].contains(&size.len()) => (h < least || w < least)
                .then(|| misfit(format!("images of at least {least} x {least} pixels")))
                .flatten(),
            _ => misfit("an input of shape [N, C, H, W]".to_owned()),
        }
    }
}

/// `torch.nn.functional.max_pool2d(input, 2)`: the same values, graph and gradients, in a faster
/// loop for f32 images on the CPU.
fn max_pool_2x2(input: &Tensor) -> Result<Tensor> {
    let mut output = ptr::null_mut();
    // SAFETY: a live tensor is lent, and `output` is ours to write.
    let message = unsafe { blitz_nn_max_pool_2x2(ffi::lend(input), &mut output) };
    ffi::check("max pooling", message)?;
    // SAFETY: a new tensor, which C++ has given up.
    Ok(unsafe { ffi::take(output) }.expect("C++ made a tensor or returned a message"))
}

impl Module for MaxPool2d {
    fn forward(&self, input: &Tensor) -> Tensor {
        or_panic(self.f_forward(input))
    }
}

impl fmt::Debug for MaxPool2d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MaxPool2d { kernel_size, stride, padding, dilation, ceil_mode } = self;
        let ceil_mode = if *ceil_mode { "True" } else { "False" };
        write!(
            f,
            "MaxPool2d(kernel_size={kernel_size}, stride={stride}, padding={padding}, \
             dilation={dilation}, ceil_mode={ceil_mode})"
        )
    }
}

unsafe extern "C" {
    fn blitz_nn_max_pool_2x2(input: *mut C_tensor, output: *mut *mut C_tensor) -> *mut c_char;
}
