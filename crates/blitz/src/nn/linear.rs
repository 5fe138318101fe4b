//! The fully connected layer.

use std::borrow::Borrow;
use std::fmt;

use tch::Tensor;
use tch::nn::{Module, Path};

use super::misfit::{Misfit, or_panic, refused};
use super::reset::{ZEROS, reset_parameters};
use crate::error::Result;

/// A fully connected layer, `input · weightᵀ + bias`, from `[.., in_features]` to
/// `[.., out_features]` (`torch.nn.Linear`). Made by [`linear`] and [`linear_with`].
///
/// `Debug` prints PyTorch's line: `Linear(in_features=84, out_features=10, bias=True)`.
pub struct Linear {
    /// `[out_features, in_features]`.
    pub weight: Tensor,
    /// `[out_features]`.
    pub bias: Option<Tensor>,
}

/// The keyword arguments of `torch.nn.Linear`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearOptions {
    /// Whether there is a bias; true.
    pub bias: bool,
}

impl Default for LinearOptions {
    fn default() -> LinearOptions {
        LinearOptions { bias: true }
    }
}

/// A fully connected layer from `[N, in_features]` to `[N, out_features]`.
///
/// Initialised as `torch.nn.Linear(in_features, out_features)`: weight and bias uniform within
/// ±1/√in_features.
///
/// # Panics
///
/// Where a size is below 1.
pub fn linear<'a>(path: impl Borrow<Path<'a>>, in_features: i64, out_features: i64) -> Linear {
    linear_with(path, in_features, out_features, LinearOptions::default())
}

/// As [`linear`], with options.
///
/// # Panics
///
/// Where a size is below 1.
pub fn linear_with<'a>(
    path: impl Borrow<Path<'a>>,
    in_features: i64,
    out_features: i64,
    options: LinearOptions,
) -> Linear {
    made(path.borrow(), in_features, out_features, options)
}

/// Not generic: it is compiled with this crate, not with each cell that makes a layer.
fn made(path: &Path, in_features: i64, out_features: i64, options: LinearOptions) -> Linear {
    assert!(
        in_features >= 1 && out_features >= 1,
        "linear expected sizes of at least 1, got in_features={in_features}, \
         out_features={out_features}"
    );
    let mut weight = path.var("weight", &[out_features, in_features], ZEROS);
    let mut bias = options.bias.then(|| path.var("bias", &[out_features], ZEROS));
    reset_parameters(&mut weight, bias.as_mut(), in_features);
    Linear { weight, bias }
}

impl Linear {
    /// The fallible form of `forward`.
    ///
    /// ```
    /// use blitz::nn::linear;
    /// use blitz::tch::{Device, Kind, Tensor, nn::VarStore};
    ///
    /// let vs = VarStore::new(Device::Cpu);
    /// let fc1 = linear(vs.root() / "fc1", 400, 120);
    /// let error = fc1.f_forward(&Tensor::zeros([16, 25], (Kind::Float, Device::Cpu)));
    /// assert_eq!(
    ///     error.unwrap_err().to_string(),
    ///     "Linear(in_features=400, out_features=120, bias=True) expected an input of shape \
    ///      [.., 400], got [16, 25]. 16 * 25 = 400: the batch dimension was missing when this was \
    ///      flattened; give the net input.unsqueeze(0)"
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// [`crate::Error::Layer`] where the input's last size, kind or device does not fit,
    /// [`crate::Error::Torch`] for libtorch's other refusals.
    pub fn f_forward(&self, input: &Tensor) -> Result<Tensor> {
        let output = input.f_linear(&self.weight, self.bias.as_ref());
        output.map_err(|error| {
            refused(format!("{self:?}"), self.misfit(input), "the linear layer")(error)
        })
    }

    fn misfit(&self, input: &Tensor) -> Option<Misfit> {
        let &[_, in_features] = self.weight.size().as_slice() else {
            return None; // The field was replaced; libtorch says what it makes of it.
        };
        let size = input.size();
        if size.last() == Some(&in_features) {
            return Misfit::of_kind_or_device(input, &self.weight);
        }
        Some(Misfit {
            expected: format!("an input of shape [.., {in_features}]"),
            got: format!("{size:?}"),
            hint: shape_hint(&size, in_features),
        })
    }
}

/// What may have gone wrong before an input of `size` came.
fn shape_hint(size: &[i64], in_features: i64) -> String {
    match *size {
        [channels, pixels] if channels * pixels == in_features => format!(
            ". {channels} * {pixels} = {in_features}: the batch dimension was missing when this \
             was flattened; give the net input.unsqueeze(0)"
        ),
        [_, ref rest @ ..] if rest.len() > 1 && rest.iter().product::<i64>() == in_features => {
            ". Flatten it first: input.flatten(1, -1)".to_owned()
        }
        [_, found] => format!(
            ". Each row has {found} features: make the layer with in_features={found}, or change \
             what comes before it"
        ),
        _ => String::new(),
    }
}

impl Module for Linear {
    fn forward(&self, input: &Tensor) -> Tensor {
        or_panic(self.f_forward(input))
    }
}

impl fmt::Debug for Linear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = self.weight.size();
        let &[out_features, in_features] = shape.as_slice() else {
            return write!(f, "Linear(weight={shape:?})");
        };
        let bias = if self.bias.is_some() { "True" } else { "False" };
        write!(f, "Linear(in_features={in_features}, out_features={out_features}, bias={bias})")
    }
}
