//! Panics that are told later, in other words, or become errors: for nets, whose forward pass cannot
//! return one.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::error::torch_text;

/// What `body` returns, or what its panic said; nothing is printed. The caller turns that into an
/// error and returns no result, so that nothing half-done is used.
pub(crate) fn caught<T>(body: impl FnOnce() -> T) -> std::result::Result<T, String> {
    quietly(body).map_err(|payload| {
        torch_text::first_line(torch_text::of_panic(&*payload).unwrap_or("no reason given"))
    })
}

/// What `body` returns, or its panic's payload; nothing is printed.
pub(crate) fn quietly<T>(body: impl FnOnce() -> T) -> std::result::Result<T, Box<dyn Any + Send>> {
    // All that does not depend on `body` is there: cells instantiate the rest.
    let quiet = Quiet::begin();
    catch_unwind(AssertUnwindSafe(body)).inspect_err(|_| quiet.restore_recording())
}

/// While it lives, panics of this thread print nothing.
struct Quiet {
    was_quiet: bool,
    was_recording: bool,
}

impl Quiet {
    fn begin() -> Quiet {
        HOOK.call_once(|| {
            let previous = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                if !IS_QUIET.try_with(Cell::get).unwrap_or(false) {
                    previous(info);
                }
            }));
        });
        let was_quiet = IS_QUIET.replace(true);
        let was_recording = set_recording(true);
        set_recording(was_recording);
        Quiet { was_quiet, was_recording }
    }

    /// tch's `no_grad` does not come to its end where a panic leaves it.
    fn restore_recording(&self) {
        set_recording(self.was_recording);
    }
}

impl Drop for Quiet {
    /// Also where the body panics.
    fn drop(&mut self) {
        IS_QUIET.set(self.was_quiet);
    }
}

/// Whether libtorch records gradients in this thread from now on. Returns whether it did.
fn set_recording(records: bool) -> bool {
    // SAFETY: it takes any number and changes a flag of this thread.
    unsafe { torch_sys::at_grad_set_enabled(records.into()) != 0 }
}

thread_local! {
    /// Whether panics of this thread print nothing.
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// The hook is the process's. One for each call would stay below those of others, and every later
/// panic would pass through all of them.
static HOOK: Once = Once::new();

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tch::{Device, Kind, Tensor};

    #[test]
    fn libtorchs_message_is_its_first_sentence() {
        assert_eq!(caught(|| 5), Ok(5));
        let x = Tensor::ones([2, 3], (Kind::Float, Device::Cpu));
        let message = caught(|| drop(x.matmul(&x))).unwrap_err();
        assert!(message.starts_with("mat1 and mat2 shapes cannot be multiplied"), "{message}");
        assert!(!message.contains("frame") && !message.contains('\n'), "{message}");
    }

    #[test]
    fn a_panic_within_no_grad_does_not_stop_the_recording_for_good() {
        let x = Tensor::ones([1], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        assert!(caught(|| tch::no_grad(|| panic!("within"))).is_err());
        assert!((&x * 2).requires_grad());
        tch::no_grad(|| {
            assert!(caught(|| panic!("within")).is_err());
            assert!(!(&x * 2).requires_grad());
        });
    }

    #[test]
    fn a_panic_within_is_quiet_and_one_afterwards_is_not() {
        let _ = quietly(|| ());
        let told = Arc::new(AtomicUsize::new(0));
        let (counted, here) = (told.clone(), std::thread::current().id());
        let previous = panic::take_hook();
        // Below ours, where the process's own is: other tests' panics are theirs.
        panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == here && !IS_QUIET.get() {
                counted.fetch_add(1, Ordering::Relaxed);
            } else {
                previous(info);
            }
        }));
        let inner = quietly(|| quietly(|| panic!("within")).unwrap_err().is::<&str>());
        assert_eq!((inner.ok(), told.load(Ordering::Relaxed)), (Some(true), 0));
        assert!(catch_unwind(|| panic!("afterwards")).is_err());
        assert_eq!(told.load(Ordering::Relaxed), 1);
    }
}
