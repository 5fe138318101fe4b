//! Panics that become errors, quietly: for nets, whose forward pass cannot return one.

use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::error::torch_text;

/// What `body` returns, or what its panic said; nothing is printed. The caller turns that into an
/// error and returns no result, so that nothing half-done is used.
pub(crate) fn caught<T>(body: impl FnOnce() -> T) -> std::result::Result<T, String> {
    let quiet = QuietPanics::new();
    let result = catch_unwind(AssertUnwindSafe(body));
    drop(quiet);
    result.map_err(|payload| {
        torch_text::first_line(torch_text::of_panic(&*payload).unwrap_or("no reason given"))
    })
}

/// While it lives, panics of this thread print nothing: they become an error.
struct QuietPanics(Arc<AtomicBool>);

impl QuietPanics {
    fn new() -> QuietPanics {
        let active = Arc::new(AtomicBool::new(true));
        let (flag, here, previous) = (active.clone(), thread::current().id(), panic::take_hook());
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() != here || !flag.load(Ordering::Relaxed) {
                previous(info);
            }
        }));
        QuietPanics(active)
    }
}

impl Drop for QuietPanics {
    fn drop(&mut self) {
        // The hook stays, as another thread may have put its own on top of it; it only passes on.
        self.0.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind, Tensor};

    #[test]
    fn libtorchs_message_is_its_first_sentence() {
        assert_eq!(caught(|| 5), Ok(5));
        let x = Tensor::ones([2, 3], (Kind::Float, Device::Cpu));
        let message = caught(|| drop(x.matmul(&x))).unwrap_err();
        assert!(message.starts_with("mat1 and mat2 shapes cannot be multiplied"), "{message}");
        assert!(!message.contains("frame") && !message.contains('\n'), "{message}");
    }
}
