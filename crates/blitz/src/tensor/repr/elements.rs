//! The elements that are shown, read from the tensor.

use tch::{Device, Kind, TchError, Tensor};

use super::facts::Facts;

/// Elements in the order of the printed form.
pub(super) enum Elements {
    /// Integers and bools, printed.
    Whole(Vec<String>),
    /// Every kind of floating point fits `f64` without loss.
    Floating(Vec<f64>),
    /// Real and imaginary part.
    Complex(Vec<(f64, f64)>),
}

impl Elements {
    /// Whether there are elements of this kind to be read.
    pub(super) fn can_read(facts: &Facts) -> bool {
        let name = facts.name();
        let is_unusual = matches!(name, "unknown" | "float8_e8m0fnu" | "float4_e2m1fn_x2");
        let is_narrow = ["int", "uint"].iter().any(|prefix| {
            let bits = name.strip_prefix(prefix).and_then(|bits| bits.parse::<u32>().ok());
            bits.is_some_and(|bits| bits < 8)
        });
        !is_unusual && !is_narrow && !name.starts_with("bits")
    }

    /// Reads all elements of a strided tensor.
    pub(super) fn read(tensor: &Tensor) -> Result<Elements, TchError> {
        let facts = Facts::of(tensor)?;
        let name = facts.name();
        if name.starts_with("complex") {
            let parts = tensor.f_resolve_conj()?.f_view_as_real()?;
            let parts: Vec<f64> = values(&parts, Kind::Double)?;
            let (pairs, _) = parts.as_chunks::<2>();
            return Ok(Elements::Complex(pairs.iter().map(|&[real, im]| (real, im)).collect()));
        }
        if name.contains("float") {
            return Ok(Elements::Floating(values(tensor, Kind::Double)?));
        }
        let numbers: Vec<i64> = values(tensor, Kind::Int64)?;
        let print = |&number: &i64| match name {
            "bool" => if number == 0 { "False" } else { "True" }.to_owned(),
            // The conversion to i64 kept the bits.
            "uint64" => number.cast_unsigned().to_string(),
            _ => number.to_string(),
        };
        Ok(Elements::Whole(numbers.iter().map(print).collect()))
    }
}

/// The first and last `count` along every dimension that has more than both together.
pub(super) fn edges(tensor: &Tensor, count: usize) -> Result<Tensor, TchError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let mut shown = tensor.shallow_clone();
    for (dim, length) in (0..).zip(tensor.size()) {
        if length > count.saturating_mul(2) {
            let first = shown.f_narrow(dim, 0, count)?;
            let last = shown.f_narrow(dim, length - count, count)?;
            shown = Tensor::f_cat(&[first, last], dim)?;
        }
    }
    Ok(shown)
}

fn values<T>(tensor: &Tensor, kind: Kind) -> Result<Vec<T>, TchError>
where
    T: tch::kind::Element + Copy,
{
    let flat = tensor.f_resolve_neg()?.f_to_device(Device::Cpu)?.f_to_kind(kind)?;
    Vec::try_from(&flat.f_contiguous()?.f_reshape([-1])?)
}
