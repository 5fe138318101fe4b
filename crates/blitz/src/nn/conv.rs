//! Convolution over images.

use std::borrow::Borrow;
use std::ffi::c_char;
use std::fmt;
use std::ptr;

use tch::Tensor;
use tch::nn::{Module, Path};
use torch_sys::C_tensor;

use super::misfit::{Misfit, or_panic, refused};
use super::reset::{ZEROS, reset_parameters};
use crate::error::{Error, Result};
use crate::ffi;

/// A convolution over `[N, in_channels, H, W]` or one image `[in_channels, H, W]`
/// (`torch.nn.Conv2d`). Made by [`conv2d`] and [`conv2d_with`].
///
/// `Debug` prints PyTorch's line: `Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1))`.
pub struct Conv2d {
    /// `[out_channels, in_channels / groups, kernel height, kernel width]`.
    pub weight: Tensor,
    /// `[out_channels]`.
    pub bias: Option<Tensor>,
    /// Step of the kernel along height and width.
    pub stride: [i64; 2],
    /// Zeros added on each side of height and width.
    pub padding: [i64; 2],
    /// Distance between the kernel's points along height and width.
    pub dilation: [i64; 2],
    /// Groups of channels that do not see each other.
    pub groups: i64,
}

/// The keyword arguments of `torch.nn.Conv2d`, the same for height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dOptions {
    /// Step of the kernel, at least 1; 1.
    pub stride: i64,
    /// Zeros added on each side of the image; 0.
    pub padding: i64,
    /// Distance between the kernel's points, at least 1; 1.
    pub dilation: i64,
    /// Groups of channels that do not see each other: divides both numbers of channels; 1.
    pub groups: i64,
    /// Whether there is a bias; true.
    pub bias: bool,
}

impl Default for Conv2dOptions {
    fn default() -> Conv2dOptions {
        Conv2dOptions { stride: 1, padding: 0, dilation: 1, groups: 1, bias: true }
    }
}

/// A convolution over `[N, in_channels, H, W]` with square kernels, stride 1 and no padding; the
/// output is `[N, out_channels, H - kernel_size + 1, W - kernel_size + 1]`.
///
/// Initialised as `torch.nn.Conv2d(in_channels, out_channels, kernel_size)`: weight and bias
/// uniform within ±1/√(in_channels · kernel_size²).
///
/// # Panics
///
/// Where a size is below 1.
pub fn conv2d<'a>(
    path: impl Borrow<Path<'a>>,
    in_channels: i64,
    out_channels: i64,
    kernel_size: i64,
) -> Conv2d {
    conv2d_with(path, in_channels, out_channels, kernel_size, Conv2dOptions::default())
}

/// As [`conv2d`], with options. Each side of n pixels becomes
/// `(n + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1`.
///
/// ```
/// use blitz::nn::{Conv2dOptions, conv2d_with};
/// use blitz::tch::nn::{Module, VarStore};
/// use blitz::tch::{Device, Kind, Tensor};
///
/// let vs = VarStore::new(Device::Cpu);
/// let options = Conv2dOptions { stride: 2, padding: 2, ..Default::default() };
/// let conv = conv2d_with(vs.root() / "conv", 1, 6, 5, options);
/// let images = Tensor::zeros([4, 1, 32, 32], (Kind::Float, Device::Cpu));
/// assert_eq!(conv.forward(&images).size(), [4, 6, 16, 16]);
/// ```
///
/// # Panics
///
/// Where a size, the stride, the dilation or `groups` is below 1, the padding below 0, or
/// `groups` does not divide both numbers of channels.
pub fn conv2d_with<'a>(
    path: impl Borrow<Path<'a>>,
    in_channels: i64,
    out_channels: i64,
    kernel_size: i64,
    options: Conv2dOptions,
) -> Conv2d {
    made(path.borrow(), in_channels, out_channels, kernel_size, options)
}

/// Not generic: it is compiled with this crate, not with each cell that makes a layer.
fn made(
    path: &Path,
    in_channels: i64,
    out_channels: i64,
    kernel_size: i64,
    options: Conv2dOptions,
) -> Conv2d {
    let Conv2dOptions { stride, padding, dilation, groups, bias } = options;
    let sizes = [in_channels, out_channels, kernel_size, stride, dilation, groups];
    assert!(
        sizes.iter().all(|size| *size >= 1) && padding >= 0,
        "conv2d expected sizes, stride, dilation and groups of at least 1 and padding of at least \
         0, got in_channels={in_channels}, out_channels={out_channels}, \
         kernel_size={kernel_size}, {options:?}"
    );
    assert!(
        in_channels % groups == 0 && out_channels % groups == 0,
        "conv2d expected groups that divide both numbers of channels, got \
         in_channels={in_channels}, out_channels={out_channels}, groups={groups}"
    );
    let shape = [out_channels, in_channels / groups, kernel_size, kernel_size];
    let mut weight = path.var("weight", &shape, ZEROS);
    let mut bias = bias.then(|| path.var("bias", &[out_channels], ZEROS));
    let fan_in = in_channels / groups * kernel_size * kernel_size;
    reset_parameters(&mut weight, bias.as_mut(), fan_in);
    Conv2d {
        weight,
        bias,
        stride: [stride; 2],
        padding: [padding; 2],
        dilation: [dilation; 2],
        groups,
    }
}

impl Conv2d {
    /// The fallible form of `forward`.
    ///
    /// # Errors
    ///
    /// [`Error::Layer`] where the input's number of dimensions, channels, size, kind or device
    /// does not fit, [`Error::Torch`] for libtorch's other refusals.
    pub fn f_forward(&self, input: &Tensor) -> Result<Tensor> {
        let bias = self.bias.as_ref();
        if self.is_plain()
            && let Some(bias) = bias
            && let Ok((output, _)) = plain_conv2d(input, &self.weight, bias)
        {
            return Ok(output);
        }
        input
            .f_conv2d(&self.weight, bias, self.stride, self.padding, self.dilation, self.groups)
            .map_err(|error| self.refusal(input, error))
    }

    /// Whether all options are PyTorch's defaults.
    fn is_plain(&self) -> bool {
        let Conv2d { stride, padding, dilation, groups, .. } = self;
        (*stride, *padding, *dilation, *groups) == ([1; 2], [0; 2], [1; 2], 1)
    }

    fn refusal(&self, input: &Tensor, error: tch::TchError) -> Error {
        refused(format!("{self:?}"), self.misfit(input), "the convolution")(error)
    }

    fn misfit(&self, input: &Tensor) -> Option<Misfit> {
        let &[_, per_group, height, width] = self.weight.size().as_slice() else {
            return None; // The field was replaced; libtorch says what it makes of it.
        };
        let channels = per_group * self.groups;
        let size = input.size();
        let misfit = |expected: String, hint: String| {
            Some(Misfit { expected, got: format!("{size:?}"), hint })
        };
        let shape = format!("an input of shape [N, {channels}, H, W]");
        match *size.as_slice() {
            [_, _] => misfit(shape, missing_dimensions(channels)),
            [.., found, h, w] if size.len() <= 4 => {
                if found != channels {
                    return misfit(shape, wrong_channels(&size, channels));
                }
                let [h, w] = [h + 2 * self.padding[0], w + 2 * self.padding[1]];
                let least =
                    [self.dilation[0] * (height - 1) + 1, self.dilation[1] * (width - 1) + 1];
                if h < least[0] || w < least[1] {
                    let [y, x] = self.padding;
                    let [least_h, least_w] = [least[0] - 2 * y, least[1] - 2 * x];
                    return misfit(
                        format!("images of at least {least_h} x {least_w} pixels"),
                        ". Layers before it have made them smaller: begin with larger images, or leave \
                         out a pooling"
                            .to_owned(),
                    );
                }
                Misfit::of_kind_or_device(input, &self.weight)
            }
            _ => misfit(shape, String::new()),
        }
    }
}

/// `torch.nn.functional.conv2d(input, weight, bias)`: the same values, graph and gradients, by faster
/// loops for few channels in f32 on one thread of the CPU. Also returns whether those computed it.
fn plain_conv2d(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<(Tensor, bool)> {
    let (mut output, mut is_small) = (ptr::null_mut(), false);
    let [input, weight, bias] = [input, weight, bias].map(ffi::lend);
    // SAFETY: live tensors are lent, and what is written is ours.
    let message = unsafe { blitz_nn_conv2d(input, weight, bias, &mut output, &mut is_small) };
    ffi::check("the convolution", message)?;
    // SAFETY: a new tensor, which C++ has given up.
    let output = unsafe { ffi::take(output) }.expect("C++ made a tensor or returned a message");
    Ok((output, is_small))
}

/// A hint for `[H, W]`.
fn missing_dimensions(channels: i64) -> String {
    let dimensions = "The channel and the batch dimension are missing";
    match channels {
        1 => format!(". {dimensions}: add them with input.unsqueeze(0).unsqueeze(0)"),
        _ => format!(". {dimensions}"),
    }
}

/// A hint for images with other channels than `channels`.
fn wrong_channels(size: &[i64], channels: i64) -> String {
    match *size {
        // Three dimensions are taken as one image; perhaps they are a batch without channels.
        [n, ..] if size.len() == 3 && channels == 1 => {
            format!(". {n} images without a channel dimension? Add it with input.unsqueeze(1)")
        }
        [.., last] if last == channels => {
            ". The channels come before height and width: input.movedim(-1, -3)".to_owned()
        }
        [.., found, _, _] => format!(
            ". The input has {found} channels: make the layer with in_channels={found}, or change what \
             comes before it"
        ),
        _ => String::new(),
    }
}

impl Module for Conv2d {
    fn forward(&self, input: &Tensor) -> Tensor {
        or_panic(self.f_forward(input))
    }
}

impl fmt::Debug for Conv2d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = self.weight.size();
        let &[out_channels, per_group, height, width] = shape.as_slice() else {
            return write!(f, "Conv2d(weight={shape:?})");
        };
        let pair = |[y, x]: [i64; 2]| format!("({y}, {x})");
        write!(f, "Conv2d({}, {out_channels}", per_group * self.groups)?;
        write!(f, ", kernel_size=({height}, {width}), stride={}", pair(self.stride))?;
        if self.padding != [0, 0] {
            write!(f, ", padding={}", pair(self.padding))?;
        }
        if self.dilation != [1, 1] {
            write!(f, ", dilation={}", pair(self.dilation))?;
        }
        if self.groups != 1 {
            write!(f, ", groups={}", self.groups)?;
        }
        if self.bias.is_none() {
            write!(f, ", bias=False")?;
        }
        write!(f, ")")
    }
}

unsafe extern "C" {
    fn blitz_nn_conv2d(
        input: *mut C_tensor,
        weight: *mut C_tensor,
        bias: *mut C_tensor,
        output: *mut *mut C_tensor,
        is_small: *mut bool,
    ) -> *mut c_char;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    fn is_small(size: [i64; 4], out_channels: i64) -> bool {
        let zeros = |size: &[i64]| Tensor::zeros(size, (Kind::Float, Device::Cpu));
        let weight = zeros(&[out_channels, size[1], 5, 5]);
        plain_conv2d(&zeros(&size), &weight, &zeros(&[out_channels])).unwrap().1
    }

    /// Fails where a new libtorch rounds in another order: then nothing is wrong, but slow.
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn the_tutorials_convolutions_are_computed_here() {
        let is_fast = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        tch::set_num_threads(1);
        for batch_size in [1, 4, 64] {
            assert_eq!(is_small([batch_size, 3, 32, 32], 6), is_fast, "{batch_size}");
            assert_eq!(is_small([batch_size, 6, 14, 14], 16), is_fast, "{batch_size}");
        }
        assert!(!is_small([4, 16, 14, 14], 16));
        // Of several threads each sums up some of the images.
        tch::set_num_threads(2);
        assert!(!is_small([4, 3, 32, 32], 6));
    }
}
