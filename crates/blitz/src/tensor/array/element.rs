//! The types that tensors and arrays have in common.

use half::{bf16, f16};
use tch::Kind;

/// A type of elements: `f32`, `f64`, [`f16`](struct@f16), [`bf16`], `i8`, `i16`, `i32`, `i64`, `u8`
/// and `bool`.
pub trait Element: sealed::Sealed + Copy + Send + Sync + 'static {
    /// The kind of a tensor with such elements.
    const KIND: Kind;
    /// Zero, or `false`.
    const ZERO: Self;
    #[doc(hidden)]
    const SCALAR_TYPE: i32;
    /// As NumPy is to print it.
    #[doc(hidden)]
    fn to_number(self) -> Number;
}

/// An element as a text is made of it.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub enum Number {
    /// The value, and the fewest digits that stand for it among the numbers of its type.
    Float {
        value: f64,
        digits: String,
        /// Decimal digits that each number of the type has. NumPy: `finfo(dtype).precision`.
        precision: i32,
    },
    Integer(i64),
    Bool(bool),
}

impl Number {
    /// A number of 16 bits; `is_same` says whether another one becomes the same in them.
    fn half(value: f32, is_same: impl Fn(f32) -> bool) -> Number {
        let mut digits = (0..8).map(|places| format!("{value:.places$e}"));
        let digits = digits.find(|digits| digits.parse().is_ok_and(&is_same));
        Number::float(value.into(), digits.unwrap_or_else(|| format!("{value:e}")), 3)
    }

    fn float(value: f64, digits: String, precision: i32) -> Number {
        Number::Float { value, digits, precision }
    }
}

mod sealed {
    /// Only types whose form in memory libtorch shares can be elements.
    pub trait Sealed {}
}

/// The type, its kind, that kind's number in `c10::ScalarType`, zero, and an element as a number.
macro_rules! elements {
    ($($element:ty, $kind:ident, $number:literal, $zero:expr, $to_number:expr;)*) => {
        $(
            impl sealed::Sealed for $element {}
            impl Element for $element {
                const KIND: Kind = Kind::$kind;
                const ZERO: Self = $zero;
                const SCALAR_TYPE: i32 = $number;
                fn to_number(self) -> Number {
                    let to_number: fn($element) -> Number = $to_number;
                    to_number(self)
                }
            }
        )*
    };
}

elements! {
    u8, Uint8, 0, 0, |x| Number::Integer(x.into());
    i8, Int8, 1, 0, |x| Number::Integer(x.into());
    i16, Int16, 2, 0, |x| Number::Integer(x.into());
    i32, Int, 3, 0, |x| Number::Integer(x.into());
    i64, Int64, 4, 0, Number::Integer;
    f16, Half, 5, f16::ZERO, |x| Number::half(x.into(), |y| f16::from_f32(y) == x);
    f32, Float, 6, 0.0, |x| Number::float(x.into(), format!("{x:e}"), 6);
    f64, Double, 7, 0.0, |x| Number::float(x, format!("{x:e}"), 15);
    bool, Bool, 11, false, Number::Bool;
    bf16, BFloat16, 15, bf16::ZERO, |x| Number::half(x.into(), |y| bf16::from_f32(y) == x);
}

/// Makes the elements valid bools where they are to be: libtorch takes every byte but 0 for true,
/// and lets bytes be written by other means.
///
/// # Safety
///
/// `count` elements from `first` on can be read and written.
pub(super) unsafe fn make_valid<T: Element>(first: *mut T, count: usize) {
    if T::KIND != Kind::Bool {
        return;
    }
    for index in 0..count {
        // SAFETY: the caller's promise; a byte may have any value.
        unsafe {
            let byte = first.cast::<u8>().add(index);
            byte.write(u8::from(byte.read() != 0));
        }
    }
}
