//! Floating point numbers: the same within a tolerance.

use tch::Tensor;

use super::compare::Compare;

/// How far a floating point number may be from the expected one, where nothing else is said, in
/// parts of that.
pub(super) const RELATIVE: f64 = 1e-4;
/// What it may be off in any case.
pub(super) const ABSOLUTE: f64 = 1e-6;

/// A number with the distance that an answer may have from it; made by [`close`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Close {
    expected: f64,
    tolerance: f64,
}

/// `expected`, or whatever is not further from it than `tolerance`, to check against.
///
/// ```
/// use blitz::check::{Compare, close};
///
/// assert_eq!(2.3.difference(&close(2.0, 0.5)), None);
/// assert_eq!(
///     2.6.difference(&close(2.0, 0.5)).as_deref(),
///     Some("gave 2.6, expected 2 (up to 0.5 more or less)")
/// );
/// ```
pub fn close(expected: f64, tolerance: f64) -> Close {
    Close { expected, tolerance }
}

/// A limit that an answer must keep; made by [`at_least`] and [`at_most`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    least: f64,
    most: f64,
}

/// `least` or more, to check against: an accuracy.
///
/// ```
/// use blitz::check::{Compare, at_least, at_most};
///
/// assert_eq!(0.97.difference(&at_least(0.95)), None);
/// assert_eq!(0.5.difference(&at_least(0.95)).as_deref(), Some("gave 0.5, expected at least 0.95"));
/// assert_eq!(6000i64.difference(&at_most(5000.0)).as_deref(), Some("gave 6000, expected at most 5000"));
/// ```
pub fn at_least(least: f64) -> Limit {
    Limit { least, most: f64::INFINITY }
}

/// `most` or less, to check against: a loss, or a number of parameters.
pub fn at_most(most: f64) -> Limit {
    Limit { least: f64::NEG_INFINITY, most }
}

/// Whether two numbers are the same within the tolerances; not a number is the same as itself.
pub(super) fn same(got: f64, expected: f64) -> bool {
    within(got, expected, ABSOLUTE + RELATIVE * expected.abs())
}

fn within(got: f64, expected: f64, tolerance: f64) -> bool {
    // Infinities are not near each other, but equal.
    got == expected || (got.is_nan() && expected.is_nan()) || (got - expected).abs() <= tolerance
}

/// A number with seven significant digits, as many as 32 bits hold.
pub(super) fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let exponent = value.abs().log10().floor() as i32;
    if !(-5..15).contains(&exponent) {
        return format!("{value:e}");
    }
    let text = format!("{value:.*}", (6 - exponent).max(0) as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

impl Compare for f64 {
    fn difference(&self, expected: &f64) -> Option<String> {
        let told = || format!("gave {}, expected {}", short(*self), short(*expected));
        (!same(*self, *expected)).then(told)
    }
}

impl Compare for f32 {
    fn difference(&self, expected: &f32) -> Option<String> {
        f64::from(*self).difference(&f64::from(*expected))
    }
}

impl Compare<Close> for f64 {
    fn difference(&self, expected: &Close) -> Option<String> {
        let Close { expected, tolerance } = *expected;
        let (got, wanted) = (short(*self), short(expected));
        (!within(*self, expected, tolerance)).then(|| {
            format!("gave {got}, expected {wanted} (up to {} more or less)", short(tolerance))
        })
    }
}

impl Compare<Close> for f32 {
    fn difference(&self, expected: &Close) -> Option<String> {
        f64::from(*self).difference(expected)
    }
}

impl Compare<Limit> for f64 {
    fn difference(&self, expected: &Limit) -> Option<String> {
        let Limit { least, most } = *expected;
        let limit = match most.is_finite() {
            true => format!("at most {}", short(most)),
            false => format!("at least {}", short(least)),
        };
        let told = || format!("gave {}, expected {limit}", short(*self));
        // Not a number keeps no limit.
        (!(*self >= least && *self <= most)).then(told)
    }
}

impl Compare<Limit> for i64 {
    fn difference(&self, expected: &Limit) -> Option<String> {
        (*self as f64).difference(expected)
    }
}

impl Compare<Limit> for usize {
    fn difference(&self, expected: &Limit) -> Option<String> {
        (*self as f64).difference(expected)
    }
}

/// A tensor of one element.
impl Compare<Close> for Tensor {
    fn difference(&self, expected: &Close) -> Option<String> {
        match f64::try_from(self) {
            Ok(value) => value.difference(expected),
            Err(_) if !self.defined() => Some("gave None, expected a number".to_owned()),
            Err(_) => {
                Some(format!("gave a tensor of shape {:?}, expected one number", self.size()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_within_the_tolerance() {
        assert_eq!(1.234_567.difference(&1.234_567_1), None);
        assert_eq!(0.0.difference(&1e-7), None);
        assert_eq!(1.0f32.difference(&1.001).unwrap(), "gave 1, expected 1.001");
        assert_eq!(f64::NAN.difference(&f64::NAN), None);
        assert_eq!(f64::INFINITY.difference(&f64::INFINITY), None);
        assert_eq!(f64::NAN.difference(&1.0).unwrap(), "gave NaN, expected 1");
        assert!(f64::NAN.difference(&close(1.0, 9.0)).is_some());
        assert!(f64::NAN.difference(&at_most(1.0)).is_some());
        assert_eq!(Tensor::from(2.0f32).difference(&close(2.5, 0.5)), None);
        let two = Tensor::from_slice(&[1.0f32, 2.0]);
        let told = two.difference(&close(1.0, 1.0)).unwrap();
        assert_eq!(told, "gave a tensor of shape [2], expected one number");
    }

    #[test]
    fn numbers_are_told_with_the_digits_that_they_have() {
        let told = [0.1 + 0.2, 1.234_567_890_123, 123_456_789.0, 1e-9, -4.0, 0.0].map(short);
        assert_eq!(told, ["0.3", "1.234568", "123456789", "1e-9", "-4", "0"]);
    }
}
