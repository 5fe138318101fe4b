//! An error that leaves a cell through `?`.

use super::variable_store::USER_ERROR_OCCURRED;
use std::fmt::Display;
use std::io::Write;
use std::panic::Location;

/// Precedes the report.
pub const USER_ERROR: &str = "\u{1e}blitz-error ";

/// What evcxr lets `?` convert errors into.
pub struct EvcxrUserCodeError {}

impl<T: Display> From<T> for EvcxrUserCodeError {
    #[track_caller]
    fn from(error: T) -> Self {
        report_error(std::any::type_name::<T>(), &error.to_string(), Location::caller());
        println!("{USER_ERROR_OCCURRED}");
        EvcxrUserCodeError {}
    }
}

/// Tells the kernel: line, type, length and message.
#[inline(never)]
pub fn report_error(type_name: &str, message: &str, place: &Location<'_>) {
    let (line, length) = (place.line(), message.len());
    let record = format!("{USER_ERROR}{line} {type_name} {length}\n{message}\n");
    let mut stdout = std::io::stdout().lock();
    // The kernel gone, nobody is left to be told.
    let _ = stdout.write_all(record.as_bytes());
    let _ = stdout.flush();
}
