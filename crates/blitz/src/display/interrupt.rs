//! Stopping a running cell, as Python's `KeyboardInterrupt` does.
//!
//! Rust code cannot be stopped from outside at any place without leaving broken values behind, so
//! it asks now and then whether it should stop. The loader, [`fit`](crate::train::fit::fit), the
//! progress bar, [`evaluate`](crate::train::metrics::evaluate), the download and the drawing of the
//! built-in set do so; a long loop of your own does with one line:
//!
//! ```no_run
//! let mut sum = 0.0;
//! for number in 0..10_000_000u64 {
//!     if number % 1_000 == 0 {
//!         blitz::display::interrupt::check()?;
//!     }
//!     sum += (number as f64).sqrt();
//! }
//! # Ok::<(), blitz::Error>(())
//! ```
//!
//! The Rust Blitz kernel answers the question. In a plain program and in a stock evcxr kernel
//! nothing is ever interrupted.

use blitz_contract::{marks, symbols};

use super::frontend::Frontend;
use super::output::Output;
use crate::error::{Error, Result};

/// Whether the person asked to stop. The answer `true` takes the request: the next is `false`.
///
/// Looks the kernel's function up each time; use a [`Watch`] where that is too slow.
pub fn requested() -> bool {
    Watch::new().requested()
}

/// Ends a function that returns a `Result` where the person asked to stop.
///
/// # Errors
///
/// [`Error::Interrupted`].
pub fn check() -> Result<()> {
    Watch::new().check()
}

/// Ends whatever cannot return an error, such as an iterator, where the person asked to stop.
///
/// # Panics
///
/// See [`Watch::unwind_if_requested`].
pub fn unwind_if_requested() {
    Watch::new().unwind_if_requested();
}

/// Ends the running cell as interrupted, with `message`, when it has come to its end: what it made
/// is kept, and cells that wait behind it do not run. Whatever else in the cell asks is told to stop,
/// too.
pub(crate) fn end_cell(message: &str) {
    let mut output = Output::standard();
    if let Some(request) = find::<Request>(symbols::REQUEST_INTERRUPT)
        && output.frontend() == Frontend::Blitz
    {
        request();
        let mark = marks::USER_ERROR;
        // Not translated: for the kernel.
        output.write(&format!("{mark}0 interrupted {}\n{message}\n", message.len()));
    }
}

type Question = unsafe extern "C" fn() -> bool;
type Request = extern "C" fn();

/// The kernel's answer to "stop?", looked up once.
///
/// Make one before a loop, or keep one in a value that iterates. Asking is a call through a pointer
/// and takes 1.5 ns. Looking up, which [`Watch::new`] does, takes 0.1 µs where the kernel's function
/// is there and 0.4 µs where all of libtorch's libraries are searched in vain. (Means of 20,000,000
/// and 20,000, three runs alike; an AMD EPYC machine with Debian 12, Rust 1.95.0, the `dev` profile.)
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    question: Option<Question>,
}

impl Watch {
    /// Looks the kernel's function up.
    pub fn new() -> Watch {
        Watch { question: find(symbols::INTERRUPT_REQUESTED) }
    }

    /// Whether the person asked to stop. The answer `true` takes the request.
    pub fn requested(&self) -> bool {
        match self.question {
            // SAFETY: the kernel declares the function like this, and it has no preconditions.
            Some(question) => unsafe { question() },
            None => false,
        }
    }

    /// As [`check`].
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`].
    pub fn check(&self) -> Result<()> {
        self.check_during("the cell", || "what it computed before is kept".to_owned())
    }

    /// As [`Watch::check`], naming what was interrupted and what state it is left in.
    pub(crate) fn check_during(
        &self,
        operation: &'static str,
        state: impl FnOnce() -> String,
    ) -> Result<()> {
        match self.requested() {
            true => Err(Error::Interrupted { operation, state: state() }),
            false => Ok(()),
        }
    }

    /// As [`unwind_if_requested`].
    ///
    /// # Panics
    ///
    /// Where the person asked to stop, with the payload `"interrupted"` and without a message from
    /// the panic hook. evcxr catches it at the end of the cell and keeps the variables. Gradients
    /// are recorded again afterwards, also where the loop ran inside [`tch::no_grad`].
    pub fn unwind_if_requested(&self) {
        if self.requested() {
            record_gradients_again();
            std::panic::resume_unwind(Box::new("interrupted"));
        }
    }
}

impl Default for Watch {
    fn default() -> Watch {
        Watch::new()
    }
}

/// `tch::no_grad` does not restore the mode when its closure unwinds, and the next training would
/// fail. A guard made inside `with_grad` remembers "on", which is what dropping it sets.
fn record_gradients_again() {
    drop(tch::with_grad(tch::no_grad_guard));
}

/// The function that the kernel's cell process exports, for as long as that process lives.
#[cfg(unix)]
fn find<F: Copy>(name: &str) -> Option<F> {
    let process = libloading::os::unix::Library::this();
    // SAFETY: the names are the kernel's own, and it declares the functions like this.
    let function = unsafe { process.get::<F>(name.as_bytes()) };
    function.ok().map(|function| *function)
}

#[cfg(not(unix))]
fn find<F: Copy>(_: &str) -> Option<F> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" fn always() -> bool {
        true
    }

    #[test]
    fn without_a_kernel_nothing_is_interrupted() {
        assert!(!requested());
        check().unwrap();
        unwind_if_requested();
    }

    #[test]
    fn a_request_is_an_error_or_an_unwinding() {
        let watch = Watch { question: Some(always) };
        assert_eq!(
            watch.check().unwrap_err().to_string(),
            "interrupted the cell: what it computed before is kept"
        );
        let payload = std::panic::catch_unwind(|| watch.unwind_if_requested()).unwrap_err();
        assert_eq!(*payload.downcast::<&str>().unwrap(), "interrupted");
    }

    #[test]
    fn gradients_are_recorded_after_an_interrupt_inside_no_grad() {
        let watch = Watch { question: Some(always) };
        let weight = tch::Tensor::ones([1], (tch::Kind::Float, tch::Device::Cpu));
        let weight = weight.set_requires_grad(true);
        let interrupted = std::panic::catch_unwind(|| tch::no_grad(|| watch.unwind_if_requested()));
        assert!(interrupted.is_err());
        assert!((&weight * 2.0).requires_grad());
    }
}
