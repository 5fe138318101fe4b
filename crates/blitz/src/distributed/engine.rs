//! c10d's store and process group, in C++ (`cpp/distributed/process_group.cpp`).

use std::ffi::{CString, c_char, c_int};
use std::net::TcpListener;
use std::os::fd::IntoRawFd;
use std::ptr::{NonNull, null, null_mut};
use std::time::Duration;

use tch::{Device, Tensor};
use torch_sys::C_tensor;

use super::environment::Environment;
use super::nccl;
use crate::error::{Error, Result};
use crate::ffi;

/// `blitz::ProcessGroup` of C++.
#[repr(C)]
pub(super) struct Opaque {
    _private: [u8; 0],
}

/// A `c10::intrusive_ptr<c10d::Store>` on the heap.
#[repr(C)]
struct OpaqueStore {
    _private: [u8; 0],
}

/// A `c10::intrusive_ptr<c10d::Work>` on the heap.
#[repr(C)]
struct OpaqueWork {
    _private: [u8; 0],
}

#[repr(C)]
struct Rendezvous {
    address: *const c_char,
    port: u16,
    rank: c_int,
    world_size: c_int,
    restart_count: c_int,
    has_agent_store: bool,
    listening: c_int,
    timeout_ms: u64,
}

#[rustfmt::skip] // a line a function
unsafe extern "C" {
    fn blitz_distributed_serve(listening: c_int, port: u16, made: *mut *mut OpaqueStore) -> *mut c_char;
    fn blitz_distributed_serve_end(store: *mut OpaqueStore);
    fn blitz_distributed_join(at: *const Rendezvous, made: *mut *mut Opaque) -> *mut c_char;
    fn blitz_distributed_use_gloo(group: *mut Opaque, interfaces: *const c_char, host: *const c_char) -> *mut c_char;
    fn blitz_distributed_free(group: *mut Opaque);
    fn blitz_distributed_all_reduce(group: *mut Opaque, tensor: *mut C_tensor, op: c_int) -> *mut c_char;
    fn blitz_distributed_all_reduce_begin(group: *mut Opaque, tensor: *mut C_tensor, op: c_int, work: *mut *mut OpaqueWork) -> *mut c_char;
    fn blitz_distributed_work_wait(work: *mut OpaqueWork) -> *mut c_char;
    fn blitz_distributed_work_free(work: *mut OpaqueWork);
    fn blitz_distributed_broadcast(group: *mut Opaque, tensor: *mut C_tensor, root: c_int) -> *mut c_char;
    fn blitz_distributed_all_gather(group: *mut Opaque, tensor: *mut C_tensor, gathered: *const *mut C_tensor) -> *mut c_char;
    fn blitz_distributed_store_set(group: *mut Opaque, key: *const c_char, value: *const c_char) -> *mut c_char;
    fn blitz_distributed_store_has(group: *mut Opaque, key: *const c_char, has: *mut bool) -> *mut c_char;
    fn blitz_distributed_store_get(group: *mut Opaque, key: *const c_char, timeout_ms: u64, value: *mut *mut c_char) -> *mut c_char;
}

/// Where gloo listens.
pub(super) enum Listen {
    /// On network interfaces, by their names, with commas between.
    Interfaces(String),
    /// On the interface of an address or name.
    Host(String),
}

/// The way to the other processes. Calls come from one thread at a time; all processes make the same
/// ones in the same order.
#[derive(Debug)]
pub(super) struct Engine {
    group: NonNull<Opaque>,
}

// SAFETY: c10d's stores and process groups lock their own state.
unsafe impl Send for Engine {}
// SAFETY: as above.
unsafe impl Sync for Engine {}

impl Engine {
    /// Reaches the store where the processes meet; the rank that serves it does so on `listening`,
    /// or, without it, on all interfaces.
    pub(super) fn join(
        environment: &Environment,
        listening: Option<TcpListener>,
        timeout: Duration,
    ) -> Result<Engine> {
        let address = text(&environment.address);
        let at = Rendezvous {
            address: address.as_ptr(),
            port: environment.port,
            rank: environment.rank as c_int,
            world_size: environment.world_size as c_int,
            restart_count: environment.restart_count as c_int,
            has_agent_store: environment.has_agent_store,
            listening: listening.map_or(-1, IntoRawFd::into_raw_fd),
            timeout_ms: timeout.as_millis() as u64,
        };
        let mut group = null_mut();
        // SAFETY: `at` lives until the call returns, and `group` is ours to write.
        let message = unsafe { blitz_distributed_join(&at, &mut group) };
        ffi::check("joining the other processes", message)?;
        Ok(Engine { group: NonNull::new(group).expect("C++ makes a group or gives a message") })
    }

    pub(super) fn as_ptr(&self) -> *mut Opaque {
        self.group.as_ptr()
    }

    /// Connects to the others' CPUs.
    pub(super) fn use_gloo(&self, listen: &Listen) -> Result<()> {
        let name = match listen {
            Listen::Interfaces(name) | Listen::Host(name) => text(name),
        };
        let (interfaces, host) = match listen {
            Listen::Interfaces(_) => (name.as_ptr(), null()),
            Listen::Host(_) => (null(), name.as_ptr()),
        };
        // SAFETY: the group lives as long as this, the texts until the call returns.
        let message = unsafe { blitz_distributed_use_gloo(self.as_ptr(), interfaces, host) };
        ffi::check("connecting to the other processes", message)
    }

    /// Connects to the others' GPUs.
    pub(super) fn use_nccl(&self, device: Device) -> Result<()> {
        let index = match device {
            Device::Cuda(index) => index as c_int,
            _ => 0,
        };
        let use_nccl = nccl::load(device)?;
        // SAFETY: the group lives as long as this.
        let message = unsafe { use_nccl(self.as_ptr(), index) };
        ffi::check("connecting to the other processes", message)
    }

    pub(super) fn all_reduce(&self, tensor: &Tensor, op: c_int) -> Result<()> {
        // SAFETY: the group and the tensor live until the call returns.
        let message = unsafe { blitz_distributed_all_reduce(self.as_ptr(), ffi::lend(tensor), op) };
        ffi::check("all_reduce", message)
    }

    /// The same without waiting; the tensor is shared with what is returned.
    pub(super) fn begin_all_reduce(&self, tensor: &Tensor, op: c_int) -> Result<Work> {
        let mut work = null_mut();
        // SAFETY: as above, and `work` is ours to write. C++ keeps a handle of the tensor.
        let message = unsafe {
            blitz_distributed_all_reduce_begin(self.as_ptr(), ffi::lend(tensor), op, &mut work)
        };
        ffi::check("all_reduce", message)?;
        Ok(Work { work: NonNull::new(work).expect("C++ makes a work or gives a message") })
    }

    pub(super) fn broadcast(&self, tensor: &Tensor, root: usize) -> Result<()> {
        // SAFETY: the group and the tensor live until the call returns.
        let message =
            unsafe { blitz_distributed_broadcast(self.as_ptr(), ffi::lend(tensor), root as c_int) };
        ffi::check("broadcast", message)
    }

    /// `gathered` has a tensor like `tensor` for each rank.
    pub(super) fn all_gather(&self, tensor: &Tensor, gathered: &[Tensor]) -> Result<()> {
        let lent: Vec<*mut C_tensor> = gathered.iter().map(ffi::lend).collect();
        // SAFETY: as above; there is one tensor for each rank.
        let message = unsafe {
            blitz_distributed_all_gather(self.as_ptr(), ffi::lend(tensor), lent.as_ptr())
        };
        ffi::check("all_gather", message)
    }

    pub(super) fn store_set(&self, key: &str, value: &str) -> Result<()> {
        let (key, value) = (text(key), text(value));
        // SAFETY: the texts live until the call returns.
        let message =
            unsafe { blitz_distributed_store_set(self.as_ptr(), key.as_ptr(), value.as_ptr()) };
        ffi::check("telling the other processes", message)
    }

    pub(super) fn store_has(&self, key: &str) -> Result<bool> {
        let (key, mut has) = (text(key), false);
        // SAFETY: the text lives until the call returns, and `has` is ours to write.
        let message = unsafe { blitz_distributed_store_has(self.as_ptr(), key.as_ptr(), &mut has) };
        ffi::check("asking for the other processes", message)?;
        Ok(has)
    }

    /// The value of `key`, which another process sets within `timeout`.
    pub(super) fn store_get(&self, key: &str, timeout: Duration) -> Result<String> {
        let (key, mut value) = (text(key), null_mut());
        let timeout_ms = timeout.as_millis() as u64;
        // SAFETY: as above.
        let message = unsafe {
            blitz_distributed_store_get(self.as_ptr(), key.as_ptr(), timeout_ms, &mut value)
        };
        ffi::check("waiting for the other processes", message)?;
        // SAFETY: C++ made the text and gives it away.
        Ok(unsafe { ffi::take_text(value) })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // SAFETY: nobody else has the group.
        unsafe { blitz_distributed_free(self.as_ptr()) };
    }
}

/// Where processes meet, served for others by one that is none of them, as torchrun does.
pub(super) struct MeetingPlace {
    store: NonNull<OpaqueStore>,
}

impl MeetingPlace {
    /// Serves it on `listening` until this is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Torch`] with c10d's reason.
    pub(super) fn serve(listening: TcpListener) -> Result<MeetingPlace> {
        const OPERATION: &str = "serving the meeting place";
        let address = listening.local_addr();
        let port = address
            .map_err(|error| Error::Torch { operation: OPERATION, message: error.to_string() })?
            .port();
        let mut store = null_mut();
        // SAFETY: the descriptor is c10d's from now on, and `store` is ours to write.
        let message = unsafe { blitz_distributed_serve(listening.into_raw_fd(), port, &mut store) };
        ffi::check(OPERATION, message)?;
        Ok(MeetingPlace { store: NonNull::new(store).expect("C++ makes one or gives a message") })
    }
}

impl Drop for MeetingPlace {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        unsafe { blitz_distributed_serve_end(self.store.as_ptr()) };
    }
}

/// A collective that was begun.
pub(super) struct Work {
    work: NonNull<OpaqueWork>,
}

impl Work {
    /// Waits for the others.
    pub(super) fn wait(self) -> Result<()> {
        // SAFETY: the work lives as long as this.
        let message = unsafe { blitz_distributed_work_wait(self.work.as_ptr()) };
        ffi::check("all_reduce", message)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        unsafe { blitz_distributed_work_free(self.work.as_ptr()) };
    }
}

/// For C; a text of ours or of a person, in which a zero byte ends it.
fn text(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).expect("it has no zero byte")
}
