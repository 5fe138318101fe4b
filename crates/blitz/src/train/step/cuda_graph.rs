//! CUDA graphs: work recorded once and repeated in one launch.

use std::ffi::{c_char, c_int, c_void};
use std::path::Path;
use std::ptr::{self, NonNull};

use tch::Device;

use crate::device::{self, CudaBackend};
use crate::error::{Error, Result};
use crate::ffi;

/// A recorder and player of work on one GPU (`torch.cuda.CUDAGraph`).
///
/// Whoever replays keeps everything alive, and where it lies, that the recorded work reads and
/// writes outside of it: that is not checked here, so this type stays inside the crate.
#[derive(Debug)]
pub(crate) struct CudaGraph {
    functions: Functions,
    graph: NonNull<c_void>,
}

// SAFETY: the C++ object is bound to no thread; `&mut self` keeps threads apart.
unsafe impl Send for CudaGraph {}

impl CudaGraph {
    /// Makes ready to capture on `device`.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] where `device` is no GPU, or this build has no CUDA graphs.
    pub(crate) fn new(device: Device) -> Result<CudaGraph> {
        let Device::Cuda(index) = device else {
            let remedy = "Use the plain step, or another device.";
            return Err(refusal(device, "CUDA graphs need a CUDA device", remedy));
        };
        let functions = Functions::load(device)?;
        let mut graph = ptr::null_mut();
        let index = c_int::try_from(index).unwrap_or(c_int::MAX);
        // SAFETY: `graph` is ours to write.
        ffi::check("making a CUDA graph", unsafe { (functions.new)(index, &mut graph) })?;
        let graph = NonNull::new(graph).expect("C++ made an object or returned a message");
        Ok(CudaGraph { functions, graph })
    }

    /// Does `work` on the side stream, where libraries prepare themselves for being recorded there.
    pub(crate) fn warm_up<T>(&mut self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.call("entering a CUDA stream", self.functions.enter)?;
        let entered = Entered(self);
        let result = work();
        entered.leave()?;
        result
    }

    /// Records what `work` gives the GPU to do, without doing it.
    pub(crate) fn capture<T>(&mut self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.call("entering a CUDA stream", self.functions.enter)?;
        let entered = Entered(self);
        let graph = &entered.0;
        graph.call("beginning a CUDA graph", graph.functions.capture_begin)?;
        let recording = Recording(graph);
        let result = work();
        // An error of the work is what explains one of ending the capture.
        let ended = recording.end();
        let result = result.and_then(|value| ended.map(|()| value));
        entered.leave()?;
        result
    }

    /// Does the recorded work on the current stream.
    pub(crate) fn replay(&mut self) -> Result<()> {
        self.call("replaying a CUDA graph", self.functions.replay)
    }

    fn call(&self, operation: &'static str, function: Function) -> Result<()> {
        // SAFETY: the object lives as long as this.
        ffi::check(operation, unsafe { function(self.graph.as_ptr()) })
    }
}

impl Drop for CudaGraph {
    fn drop(&mut self) {
        // SAFETY: the object is ours, and nobody uses it from here on.
        unsafe { (self.functions.free)(self.graph.as_ptr()) }
    }
}

/// While the side stream is current; leaves it also where the work panics.
struct Entered<'a>(&'a mut CudaGraph);

impl Entered<'_> {
    fn leave(self) -> Result<()> {
        let left = self.0.call("leaving a CUDA stream", self.0.functions.leave);
        std::mem::forget(self);
        left
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        // The error or panic under way says more.
        let _ = self.0.call("leaving a CUDA stream", self.0.functions.leave);
    }
}

/// While work is recorded; stops also where it panics.
struct Recording<'a>(&'a CudaGraph);

impl Recording<'_> {
    fn end(self) -> Result<()> {
        let ended = self.0.call("capturing a CUDA graph", self.0.functions.capture_end);
        std::mem::forget(self);
        ended
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        // The panic under way says more.
        let _ = self.0.call("capturing a CUDA graph", self.0.functions.capture_end);
    }
}

type New = unsafe extern "C" fn(c_int, *mut *mut c_void) -> *mut c_char;
type Function = unsafe extern "C" fn(*mut c_void) -> *mut c_char;
type Free = unsafe extern "C" fn(*mut c_void);

/// The functions of cpp/cuda/graph.cpp.
#[derive(Clone, Copy, Debug)]
struct Functions {
    new: New,
    enter: Function,
    leave: Function,
    capture_begin: Function,
    capture_end: Function,
    replay: Function,
    free: Free,
}

impl Functions {
    /// Loads the library that build.rs made, where it made one.
    fn load(device: Device) -> Result<Functions> {
        const GO_ON: &str = "Without a graph the training is the same, but slower.";
        let (path, missing) = (env!("BLITZ_CUDA_GRAPH"), env!("BLITZ_CUDA_GRAPH_MISSING"));
        if path.is_empty() {
            return Err(refusal(device, &format!("CUDA graphs are missing: {missing}"), GO_ON));
        }
        match device::load_cuda_backend() {
            CudaBackend::Loaded => {}
            CudaBackend::Absent => {
                return Err(refusal(device, "this libtorch was built for the CPU alone", GO_ON));
            }
            CudaBackend::Broken(reason) => return Err(refusal(device, &reason, GO_ON)),
        }
        Functions::open(place(path)).map_err(|reason| refusal(device, &reason, GO_ON))
    }

    #[cfg(unix)]
    fn open(path: &str) -> std::result::Result<Functions, String> {
        use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
        // SAFETY: the library is our own; its libraries are in the process already.
        let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
        let library = library.map_err(|error| format!("{path} cannot be loaded ({error})"))?;
        let missing = |error| format!("{path} is of another version of this crate ({error})");
        // SAFETY: these are the functions' types in cpp/cuda/graph.cpp.
        let functions = unsafe {
            let function = |name: &[u8]| library.get::<Function>(name).map(|symbol| *symbol);
            Functions {
                new: *library.get::<New>(b"blitz_cuda_graph_new").map_err(missing)?,
                free: *library.get::<Free>(b"blitz_cuda_graph_free").map_err(missing)?,
                enter: function(b"blitz_cuda_graph_enter").map_err(missing)?,
                leave: function(b"blitz_cuda_graph_leave").map_err(missing)?,
                capture_begin: function(b"blitz_cuda_graph_capture_begin").map_err(missing)?,
                capture_end: function(b"blitz_cuda_graph_capture_end").map_err(missing)?,
                replay: function(b"blitz_cuda_graph_replay").map_err(missing)?,
            }
        };
        // The functions are used until the process ends.
        std::mem::forget(library);
        Ok(functions)
    }

    #[cfg(not(unix))]
    fn open(_path: &str) -> std::result::Result<Functions, String> {
        Err("CUDA graphs are not available on this system".to_owned())
    }
}

/// `path`, where build.rs made the library; its bare name where it is not there, because the program
/// was taken to another machine: there the system's search path (`LD_LIBRARY_PATH`) has it.
fn place(path: &str) -> &str {
    let path = Path::new(path);
    let name = path.file_name().filter(|_| !path.exists()).map(Path::new);
    name.unwrap_or(path).to_str().unwrap_or_default()
}

fn refusal(device: Device, reason: &str, remedy: &str) -> Error {
    Error::Device {
        request: device::name(device),
        reason: reason.to_owned(),
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_on_the_cpu_is_refused() {
        let message = CudaGraph::new(Device::Cpu).unwrap_err().to_string();
        assert!(message.starts_with("cannot use device \"cpu\""), "{message}");
        assert!(message.contains("CUDA graphs need a CUDA device"), "{message}");
    }

    /// Where the CUDA half of libtorch and its headers are, all functions are found; a GPU is
    /// needed only to use them.
    #[test]
    fn the_functions_are_found_or_the_reason_is_named() {
        match Functions::load(Device::Cuda(0)) {
            Ok(_) => assert!(!env!("BLITZ_CUDA_GRAPH").is_empty()),
            Err(error) => {
                let message = error.to_string();
                assert!(env!("BLITZ_CUDA_GRAPH").is_empty(), "{message}");
                assert!(message.contains(env!("BLITZ_CUDA_GRAPH_MISSING")), "{message}");
            }
        }
    }

    #[test]
    fn a_program_that_was_moved_asks_for_the_library_by_name() {
        let here = tempfile::NamedTempFile::new().unwrap();
        let path = here.path().to_str().unwrap();
        assert_eq!(place(path), path);
        assert_eq!(place("/no/such/directory/libblitz_cuda_graph.so"), "libblitz_cuda_graph.so");
    }

    #[test]
    fn a_graph_without_a_gpu_is_refused_in_libtorchs_words() {
        if device::best().is_cuda() {
            return; // tests/gpu trains with one
        }
        let message = CudaGraph::new(Device::Cuda(0)).unwrap_err().to_string();
        assert!(message.contains("CUDA") || message.contains("CPU alone"), "{message}");
    }
}
