//! How an answer differs from what was expected, in words.

use std::fmt::{Debug, Display};

use tch::{Device, Kind};

use crate::error::first_line;

/// A value that a check compares with an `Expected` one.
///
/// | answer | expected | the same means |
/// | --- | --- | --- |
/// | a tensor | a tensor | shape, kind, and every element: within 1e-6 + 1e-4 of it for floating point |
/// | a floating point number | one | within 1e-6 + 1e-4 of it; [`close`](super::close()) says how near else, [`at_least`](super::at_least) and [`at_most`](super::at_most) a limit |
/// | an integer, `bool`, `char`, text, kind or device | one | equal |
/// | a `Vec`, array, slice or tuple | one of what its elements are compared with | as many, each the same |
/// | an `Option` | one | both `None`, or what is inside is the same |
/// | a `Result` | what `Ok` holds is compared with | `Ok`, and that the same |
pub trait Compare<Expected: ?Sized = Self> {
    /// How this differs from `expected`: what follows "the answer …", such as "gave 30, expected
    /// 32"; `None` where it is the same.
    fn difference(&self, expected: &Expected) -> Option<String>;
}

impl<G: Compare<E> + ?Sized, E: ?Sized> Compare<E> for &G {
    fn difference(&self, expected: &E) -> Option<String> {
        (**self).difference(expected)
    }
}

impl<G: Compare<E> + ?Sized, E: ?Sized> Compare<E> for Box<G> {
    fn difference(&self, expected: &E) -> Option<String> {
        (**self).difference(expected)
    }
}

impl<G: Compare<E>, E: ?Sized, F: Display> Compare<E> for Result<G, F> {
    fn difference(&self, expected: &E) -> Option<String> {
        match self {
            Ok(value) => value.difference(expected),
            Err(error) => Some(format!("gave an error: {}", first_line(error))),
        }
    }
}

impl<G: Compare<E>, E: Debug> Compare<Option<E>> for Option<G> {
    fn difference(&self, expected: &Option<E>) -> Option<String> {
        match (self, expected) {
            (None, None) => None,
            (None, Some(expected)) => Some(format!("gave None, expected Some({expected:?})")),
            (Some(_), None) => Some("gave a value, expected None".to_owned()),
            (Some(got), Some(expected)) => got.difference(expected),
        }
    }
}

/// For values that are the same only where they are equal.
macro_rules! compare_equal {
    ($($kind:ty),*) => { $(
        impl Compare for $kind {
            fn difference(&self, expected: &$kind) -> Option<String> {
                (self != expected).then(|| gave(self, expected))
            }
        }
    )* };
}
compare_equal!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);
compare_equal!(bool, char, (), Kind, Device, String);

impl Compare<&str> for str {
    fn difference(&self, expected: &&str) -> Option<String> {
        (self != *expected).then(|| gave(self, expected))
    }
}

impl Compare<&str> for String {
    fn difference(&self, expected: &&str) -> Option<String> {
        self.as_str().difference(expected)
    }
}

impl Compare<String> for str {
    fn difference(&self, expected: &String) -> Option<String> {
        self.difference(&expected.as_str())
    }
}

fn gave(got: &(impl Debug + ?Sized), expected: &(impl Debug + ?Sized)) -> String {
    format!("gave {got:?}, expected {expected:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_do_not_differ_and_others_are_both_named() {
        assert_eq!(3i64.difference(&3), None);
        assert_eq!(3i64.difference(&4).unwrap(), "gave 3, expected 4");
        assert_eq!(true.difference(&false).unwrap(), "gave true, expected false");
        assert_eq!("ab".difference(&"ab"), None);
        assert_eq!("a".to_owned().difference(&"b").unwrap(), "gave \"a\", expected \"b\"");
        assert_eq!(Kind::Int64.difference(&Kind::Float).unwrap(), "gave Int64, expected Float");
    }

    #[test]
    fn what_stands_inside_is_compared() {
        let parsed: Result<i64, _> = "5".parse::<i64>();
        assert_eq!(parsed.difference(&5), None);
        let parsed: Result<i64, _> = "x".parse::<i64>();
        let told = parsed.difference(&5).unwrap();
        assert_eq!(told, "gave an error: invalid digit found in string");
        assert_eq!(Some(1i64).difference(&Some(1)), None);
        assert_eq!(None::<i64>.difference(&Some(1)).unwrap(), "gave None, expected Some(1)");
        assert_eq!(Some(1i64).difference(&None::<i64>).unwrap(), "gave a value, expected None");
    }
}
