//! Whether libtorch records gradients. tch's `no_grad` forgets to switch that on again where a panic
//! ends it, and every later `backward` would fail.

use std::ffi::{CStr, c_void};

/// libtorch's `c10::GradMode` of the calling thread.
pub struct GradMode {
    is_enabled: extern "C" fn() -> bool,
    set_enabled: extern "C" fn(bool),
}

impl GradMode {
    /// Looks for it in what this process has loaded; `None` without libtorch, or with one that calls
    /// it otherwise.
    pub fn find() -> Option<Self> {
        let is_enabled = found(c"_ZN3c108GradMode10is_enabledEv")?;
        let set_enabled = found(c"_ZN3c108GradMode11set_enabledEb")?;
        // SAFETY: the names hold the arguments' types; the results are bool and void in c10's header.
        unsafe {
            Some(GradMode {
                is_enabled: std::mem::transmute::<*mut c_void, extern "C" fn() -> bool>(is_enabled),
                set_enabled: std::mem::transmute::<*mut c_void, extern "C" fn(bool)>(set_enabled),
            })
        }
    }

    /// Whether operations are recorded.
    pub fn is_enabled(&self) -> bool {
        (self.is_enabled)()
    }

    /// Lets operations be recorded or not.
    pub fn set_enabled(&self, enabled: bool) {
        (self.set_enabled)(enabled);
    }
}

fn found(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: a look-up by name.
    let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!symbol.is_null()).then_some(symbol)
}
