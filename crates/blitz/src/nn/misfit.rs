//! What does not fit between a layer and its input.

use tch::{Device, Kind, Tensor};

use crate::error::Error;

/// What a layer's `forward` returns, or the panic with a message for the learner: `Module` leaves
/// no room for an error.
pub(super) fn or_panic(result: crate::Result<Tensor>) -> Tensor {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// For `map_err`: the error of `layer`, where `misfit` can say what does not fit the input, and
/// else libtorch's own.
///
/// The input is looked at only after libtorch refused it, so that good input costs nothing.
pub(super) fn refused(
    layer: String,
    misfit: Option<Misfit>,
    operation: &'static str,
) -> impl FnOnce(tch::TchError) -> Error {
    move |error| match misfit {
        Some(Misfit { expected, got, hint }) => Error::Layer { layer, expected, got, hint },
        None => Error::torch(operation)(error),
    }
}

/// How an input does not fit a layer.
pub(super) struct Misfit {
    pub(super) expected: String,
    pub(super) got: String,
    pub(super) hint: String,
}

impl Misfit {
    /// Kind and device of `input` against those of a layer's `weight`.
    pub(super) fn of_kind_or_device(input: &Tensor, weight: &Tensor) -> Option<Misfit> {
        Misfit::between((input.kind(), input.device()), (weight.kind(), weight.device()))
    }

    fn between(input: (Kind, Device), weight: (Kind, Device)) -> Option<Misfit> {
        if input.1 != weight.1 {
            return Some(Misfit {
                expected: format!("an input on {:?}, where its weight is", weight.1),
                got: format!("one on {:?}", input.1),
                hint: ". Move it with input.to_device(vs.device())".to_owned(),
            });
        }
        (input.0 != weight.0).then(|| Misfit {
            expected: format!("an input of kind {:?}, as its weight", weight.0),
            got: format!("{:?}", input.0),
            hint: format!(". Convert it with input.to_kind(Kind::{:?})", weight.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_on_another_device_is_told_where_to_go() {
        let cpu = (Kind::Float, Device::Cpu);
        let misfit = Misfit::between(cpu, (Kind::Float, Device::Cuda(0))).unwrap();
        assert_eq!(misfit.expected, "an input on Cuda(0), where its weight is");
        assert_eq!(misfit.got, "one on Cpu");
        assert!(misfit.hint.contains("to_device"));
        assert!(Misfit::between(cpu, cpu).is_none());
    }
}
