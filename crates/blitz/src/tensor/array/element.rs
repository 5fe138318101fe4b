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
}

mod sealed {
    /// Only types whose form in memory libtorch shares can be elements.
    pub trait Sealed {}
}

/// The type, its kind, that kind's number in `c10::ScalarType`, and zero.
macro_rules! elements {
    ($($element:ty, $kind:ident, $number:literal, $zero:expr;)*) => {
        $(
            impl sealed::Sealed for $element {}
            impl Element for $element {
                const KIND: Kind = Kind::$kind;
                const ZERO: Self = $zero;
                const SCALAR_TYPE: i32 = $number;
            }
        )*
    };
}

elements! {
    u8, Uint8, 0, 0;
    i8, Int8, 1, 0;
    i16, Int16, 2, 0;
    i32, Int, 3, 0;
    i64, Int64, 4, 0;
    f16, Half, 5, f16::ZERO;
    f32, Float, 6, 0.0;
    f64, Double, 7, 0.0;
    bool, Bool, 11, false;
    bf16, BFloat16, 15, bf16::ZERO;
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
