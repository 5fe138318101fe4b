//! Hooks: closures that see, and may replace, a tensor's gradient on its way.

use std::ffi::{c_char, c_void};
use std::fmt;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use tch::Tensor;
use torch_sys::C_tensor;

use super::callback::{Lent, answer, drop_data, give, into_data};
use super::describe::{alike, describe, require_grad};
use crate::error::{Error, Result};
use crate::ffi;

/// Removes a hook. Dropping the handle leaves the hook in place, as in Python.
pub struct HookHandle {
    shared: NonNull<Shared>,
}

type Hook = Box<dyn Fn(&Tensor) -> Option<Tensor> + Send>;

/// How messages call the place of the failure.
const PLACE: &str = "a gradient hook";

impl HookHandle {
    /// The hook is not called any more, and what it captured is dropped.
    pub fn remove(self) {
        // SAFETY: the handle is ours.
        unsafe { blitz_hook_remove(self.shared.as_ptr()) }
    }
}

impl Drop for HookHandle {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and is not used afterwards.
        unsafe { blitz_hook_free(self.shared.as_ptr()) }
    }
}

// SAFETY: a std::shared_ptr may move to another thread; what it points at locks itself, and the
// closure inside is Send.
unsafe impl Send for HookHandle {}

impl fmt::Debug for HookHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookHandle")
    }
}

/// What [`super::Autograd::register_hook`] does.
pub(super) fn register(tensor: &Tensor, hook: Hook) -> Result<HookHandle> {
    require_grad("register_hook", "the tensor", tensor)?;
    let mut shared = ptr::null_mut();
    // SAFETY: a live tensor is lent; C++ takes `data`, which `call` and `drop_data` know as `Hook`;
    // `shared` receives a handle for us to own.
    let message = unsafe {
        let data = into_data(hook);
        blitz_hook_register(ffi::lend(tensor), data, call, drop_data::<Hook>, &mut shared)
    };
    ffi::check("register_hook", message)?;
    let shared = NonNull::new(shared).expect("C++ writes the handle where it does not fail");
    Ok(HookHandle { shared })
}

/// What C++ calls, on any thread, one call at a time.
unsafe extern "C" fn call(
    data: *mut c_void,
    gradient: *mut C_tensor,
    replacement: *mut *mut C_tensor,
) -> *mut c_char {
    answer(PLACE, || {
        // SAFETY: `data` is what `register` gave, alive until C++ calls drop_data; the gradient is
        // alive during the call, and `replacement` takes one pointer.
        let (hook, gradient) = unsafe { (&*data.cast::<Hook>(), Lent::new(gradient)) };
        let Some(tensor) = hook(&gradient) else { return Ok(()) };
        if !alike(&tensor, &gradient) {
            let expected = format!("a replacement like the gradient, {}", describe(&gradient));
            return Err(Error::Shape { operation: "it", expected, got: describe(&tensor) });
        }
        // SAFETY: as above.
        unsafe { *replacement = give(tensor) };
        Ok(())
    })
}

/// `std::shared_ptr<blitz::Closure>`, of which Rust knows the address only.
#[repr(C)]
struct Shared {
    opaque: [u8; 0],
    marker: PhantomData<*mut u8>,
}

unsafe extern "C" {
    fn blitz_hook_register(
        tensor: *mut C_tensor,
        data: *mut c_void,
        hook: unsafe extern "C" fn(*mut c_void, *mut C_tensor, *mut *mut C_tensor) -> *mut c_char,
        drop: unsafe extern "C" fn(*mut c_void),
        handle: *mut *mut Shared,
    ) -> *mut c_char;
    fn blitz_hook_remove(handle: *mut Shared);
    fn blitz_hook_free(handle: *mut Shared);
}
