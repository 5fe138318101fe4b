//! The nodes behind a tensor, as libtorch holds them.

use std::ffi::{CStr, c_char, c_void};

use tch::Tensor;
use torch_sys::C_tensor;

use crate::error::Result;
use crate::ffi;

/// A `torch::autograd::Node`.
pub(super) struct Found {
    pub id: usize,
    /// `MulBackward0`, `AccumulateGrad`.
    pub name: String,
    /// The tensor whose gradient an `AccumulateGrad` fills.
    pub leaf: Option<Tensor>,
}

/// From one node to the next, by their positions.
pub(super) struct Link {
    pub from: usize,
    pub to: usize,
    pub input_nr: u32,
}

#[derive(Default)]
pub(super) struct Walk {
    /// The nearest first, each once; empty for a tensor without a history.
    pub nodes: Vec<Found>,
    /// In the order of `next_functions`.
    pub links: Vec<Link>,
}

unsafe extern "C" {
    fn blitz_graph_walk(
        tensor: *mut C_tensor,
        on_node: extern "C" fn(*mut c_void, usize, *const c_char, *mut C_tensor),
        on_edge: extern "C" fn(*mut c_void, usize, usize, u32),
        context: *mut c_void,
    ) -> *mut c_char;
}

/// Everything that `tensor` was computed from.
pub(super) fn walk(tensor: &Tensor) -> Result<Walk> {
    let mut walk = Walk::default();
    let context = (&raw mut walk).cast();
    // SAFETY: C++ calls the two functions with `context`, a Walk, until it returns, one at a time.
    let message = unsafe { blitz_graph_walk(ffi::lend(tensor), on_node, on_edge, context) };
    ffi::check("walking the graph", message)?;
    Ok(walk)
}

// A panic in these two would end the process, but there is none: they only append.

extern "C" fn on_node(context: *mut c_void, id: usize, name: *const c_char, leaf: *mut C_tensor) {
    // SAFETY: see `walk`; the name is terminated and lives until this returns.
    let (walk, name) = unsafe { (&mut *context.cast::<Walk>(), CStr::from_ptr(name)) };
    // SAFETY: C++ made the tensor for us.
    let leaf = unsafe { ffi::take(leaf) };
    walk.nodes.push(Found { id, name: short(&name.to_string_lossy()), leaf });
}

extern "C" fn on_edge(context: *mut c_void, from: usize, to: usize, input_nr: u32) {
    // SAFETY: see `walk`.
    let walk = unsafe { &mut *context.cast::<Walk>() };
    walk.links.push(Link { from, to, input_nr });
}

/// Without the namespace, as PyTorch shows nodes.
fn short(name: &str) -> String {
    let path = name.split('<').next().unwrap_or(name);
    let start = path.rfind("::").map_or(0, |colons| colons + 2);
    name[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn namespaces_are_left_out() {
        assert_eq!(short("torch::autograd::AccumulateGrad"), "AccumulateGrad");
        assert_eq!(short("MulBackward0"), "MulBackward0");
        assert_eq!(short("torch::autograd::CppNode<a::B>"), "CppNode<a::B>");
    }
}
