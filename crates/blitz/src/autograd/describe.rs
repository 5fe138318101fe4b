//! Tensors in the words of error messages, and the checks that several functions share.

use tch::{Kind, Tensor};

use crate::error::{Error, Result};

/// Kind and shape, such as `Float [2, 3]`; the device too where it is not the CPU.
pub(super) fn describe(tensor: &Tensor) -> String {
    if !tensor.defined() {
        return "an undefined tensor".to_owned();
    }
    let device = match tensor.device() {
        tch::Device::Cpu => String::new(),
        other => format!(" on {other:?}"),
    };
    format!("{:?} {:?}{device}", tensor.kind(), tensor.size())
}

/// Whether two defined tensors agree in shape, kind and device.
pub(super) fn alike(a: &Tensor, b: &Tensor) -> bool {
    a.defined()
        && b.defined()
        && a.size() == b.size()
        && a.kind() == b.kind()
        && a.device() == b.device()
}

/// Real floating point: the kinds for which 1 is the natural gradient.
pub(super) fn is_real(kind: Kind) -> bool {
    matches!(kind, Kind::Half | Kind::Float | Kind::Double | Kind::BFloat16)
}

/// Refuses a tensor through which no gradient can flow. `name` is such as `outputs[0]`.
pub(super) fn require_grad(operation: &'static str, name: &str, tensor: &Tensor) -> Result<()> {
    if tensor.defined() && tensor.requires_grad() {
        return Ok(());
    }
    Err(Error::Shape {
        operation,
        expected: format!(
            "{name} to require grad (made from leaves with set_requires_grad(true), outside no_grad and not detached)"
        ),
        got: format!("{} that does not", describe(tensor)),
    })
}
