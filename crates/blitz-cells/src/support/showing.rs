//! How a cell's last expression is shown that has no way of its own.

use std::fmt::{Arguments, Debug};
use std::io::Write;

/// Precedes what is shown, with its type.
pub const BEGIN_TEXT: &str = "EVCXR_BEGIN_CONTENT text/plain\n";
/// Follows it.
pub const END_CONTENT: &str = "\nEVCXR_END_CONTENT\n";

/// Shows values that have no `evcxr_display` of their own: a method of the type goes before one of a
/// trait. evcxr would compile a second time to learn that. Nothing is shown for `()`.
pub trait EvcxrDebugDisplay {
    /// Shows the value in its debug form.
    fn evcxr_display(&self);
}

impl<T: Debug + ?Sized> EvcxrDebugDisplay for T {
    fn evcxr_display(&self) {
        if std::any::type_name::<T>() != "()" {
            show(format_args!("{self:?}"));
        }
    }
}

/// Shows what is formatted so.
#[inline(never)]
pub fn show(value: Arguments<'_>) {
    let block = format!("{BEGIN_TEXT}{value}{END_CONTENT}");
    // The kernel gone, nobody is left to be told.
    let _ = std::io::stdout().lock().write_all(block.as_bytes());
}
