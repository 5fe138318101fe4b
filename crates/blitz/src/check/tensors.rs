//! Tensors: shape, kind, and the first element that differs.

use tch::{Device, Kind, TchError, Tensor};

use super::close::{ABSOLUTE, RELATIVE, short};
use super::compare::Compare;
use crate::tensor::repr::{ReprOptions, repr_with};

impl Compare for Tensor {
    fn difference(&self, expected: &Tensor) -> Option<String> {
        if !self.defined() || !expected.defined() {
            let name = |tensor: &Tensor| match tensor.defined() {
                true => format!("a tensor of shape {:?}", tensor.size()),
                false => "None".to_owned(),
            };
            let (got, expected) = (name(self), name(expected));
            return (got != expected).then(|| format!("gave {got}, expected {expected}"));
        }
        let told = values(self, expected).unwrap_or_else(|error| {
            Some(format!("cannot be compared: {}", crate::Error::from(error)))
        })?;
        Some(format!("{told}\ngot, {}\nexpected, {}", shown(self), shown(expected)))
    }
}

impl Compare<&Tensor> for Tensor {
    fn difference(&self, expected: &&Tensor) -> Option<String> {
        self.difference(*expected)
    }
}

fn values(got: &Tensor, expected: &Tensor) -> Result<Option<String>, TchError> {
    if got.size() != expected.size() {
        let (got, expected) = (got.size(), expected.size());
        return Ok(Some(format!("gave a tensor of shape {got:?}, expected {expected:?}")));
    }
    if got.kind() != expected.kind() {
        let (got, expected) = (got.kind(), expected.kind());
        return Ok(Some(format!("gave a tensor of kind {got:?}, expected {expected:?}")));
    }
    // A learner's net may be on a GPU.
    let got = got.f_detach()?.f_to_device(Device::Cpu)?.f_contiguous()?.f_view(-1)?;
    let wanted = expected.f_detach()?.f_to_device(Device::Cpu)?.f_contiguous()?.f_view(-1)?;
    let same = match got.kind() {
        Kind::Float | Kind::Double | Kind::Half | Kind::BFloat16 => {
            got.f_isclose(&wanted, RELATIVE, ABSOLUTE, true)?
        }
        _ => got.f_eq_tensor(&wanted)?,
    };
    let differ = i64::try_from(same.f_logical_not()?.f_sum(Kind::Int64)?)?;
    if differ == 0 {
        return Ok(None);
    }
    let first = i64::try_from(same.f_to_kind(Kind::Int)?.f_argmin(None, false)?)?;
    let number = |tensor: &Tensor| -> Result<String, TchError> {
        Ok(short(tensor.f_get(first)?.f_double_value(&[])?))
    };
    if expected.numel() == 1 {
        return Ok(Some(format!("gave {}, expected {}", number(&got)?, number(&wanted)?)));
    }
    Ok(Some(format!(
        "differs first at {:?}: got {}, expected {} ({differ} of {} elements differ)",
        index(first, &expected.size()),
        number(&got)?,
        number(&wanted)?,
        same.numel()
    )))
}

/// Where the element `flat`, counted row by row, stands in a tensor of this size.
fn index(flat: i64, size: &[i64]) -> Vec<i64> {
    let mut rest = flat;
    let mut index: Vec<i64> = size
        .iter()
        .rev()
        .map(|&length| {
            let here = rest % length;
            rest /= length;
            here
        })
        .collect();
    index.reverse();
    index
}

/// The tensor as far as it helps, with what one cannot see of it.
fn shown(tensor: &Tensor) -> String {
    let options = ReprOptions { threshold: 40, edge_items: 2, ..Default::default() };
    let (size, kind) = (tensor.size(), tensor.kind());
    format!("{kind:?} {size:?}: {}", repr_with(&tensor.detach(), &options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(size: [i64; 3]) -> Tensor {
        let numel = size.iter().product::<i64>();
        Tensor::arange(numel, (Kind::Float, Device::Cpu)).view(size)
    }

    #[test]
    fn shape_then_kind_then_the_first_element_that_differs() {
        let expected = counting([2, 3, 2]);
        assert_eq!(counting([2, 3, 2]).difference(&expected), None);
        let first = |tensor: &Tensor| {
            tensor.difference(&expected).unwrap().lines().next().unwrap().to_owned()
        };
        let told = first(&counting([3, 2, 2]));
        assert_eq!(told, "gave a tensor of shape [3, 2, 2], expected [2, 3, 2]");
        let told = first(&expected.to_kind(Kind::Int64));
        assert_eq!(told, "gave a tensor of kind Int64, expected Float");
        let other = expected.copy();
        let _ = other.get(1).get(2).get(0).fill_(0.25);
        let _ = other.get(1).get(2).get(1).fill_(f64::NAN);
        let told = first(&other);
        assert_eq!(
            told,
            "differs first at [1, 2, 0]: got 0.25, expected 10 (2 of 12 elements differ)"
        );
    }

    #[test]
    fn both_are_shown_with_kind_and_shape() {
        let told = Tensor::from_slice(&[1i64, 2]).difference(&Tensor::from_slice(&[1i64, 3]));
        let told = told.unwrap();
        assert!(
            told.ends_with("\ngot, Int64 [2]: tensor([1, 2])\nexpected, Int64 [2]: tensor([1, 3])")
        );
    }

    #[test]
    fn what_has_no_values_is_compared_too() {
        assert_eq!(Tensor::new().difference(&Tensor::new()), None);
        let told = Tensor::new().difference(&Tensor::from(1.0)).unwrap();
        assert_eq!(told, "gave None, expected a tensor of shape []");
        let told = Tensor::from(16f32).difference(&Tensor::from(-6f32)).unwrap();
        assert!(told.starts_with("gave 16, expected -6\n"), "{told}");
        let empty = Tensor::zeros([0, 3], (Kind::Float, Device::Cpu));
        assert_eq!(empty.difference(&empty.copy()), None);
        let flags = Tensor::from_slice(&[true, false]);
        assert!(flags.difference(&flags.logical_not()).unwrap().contains("got 1, expected 0"));
    }
}
