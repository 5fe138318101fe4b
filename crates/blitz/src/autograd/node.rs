//! The graph of a backward pass, seen from Rust.

use std::ffi::c_char;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use tch::Tensor;
use torch_sys::C_tensor;

use crate::error::Result;
use crate::ffi;

/// A function of the graph, as Python's `grad_fn`: the backward of one operation, or the
/// accumulation into a leaf's `grad`.
///
/// A node keeps the part of the graph behind it alive. Two nodes are equal where they are the same
/// function of the same graph.
pub struct Node {
    shared: NonNull<Shared>,
}

/// An edge of the graph: where a gradient goes next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// The function that receives the gradient; `None` where the operation's input requires none.
    pub function: Option<Node>,
    /// Which of the function's inputs it is: the position of the tensor among the outputs of the
    /// operation in the forward pass.
    pub input_nr: u32,
}

impl Node {
    /// `tensor.grad_fn`; `None` for leaves.
    pub(crate) fn of(tensor: &Tensor) -> Result<Option<Node>> {
        let mut shared = ptr::null_mut();
        // SAFETY: a live tensor is lent; `shared` receives null or a node for us to own.
        ffi::check("grad_fn", unsafe { blitz_node_of(ffi::lend(tensor), &mut shared) })?;
        Ok(Node::owned(shared))
    }

    fn owned(shared: *mut Shared) -> Option<Node> {
        NonNull::new(shared).map(|shared| Node { shared })
    }

    /// PyTorch's name, such as `AddBackward0`, or `AccumulateGrad` at a leaf.
    ///
    /// The digit tells the overload. Python's `x + 2` records that of two tensors (`AddBackward0`,
    /// with an edge to nowhere for the number), as `&x + Tensor::from(2.0)` does in Rust; tch's
    /// `&x + 2.0` records that of a tensor and a number (`AddBackward1`, no such edge).
    pub fn name(&self) -> String {
        let mut name = ptr::null_mut();
        // SAFETY: the node is ours; the name is made with malloc, for us to free.
        unsafe {
            let message = blitz_node_name(self.pointer(), &mut name);
            ffi::check("the name of a node", message).expect("nodes of the graph have names");
            without_namespace(&ffi::take_text(name)).to_owned()
        }
    }

    /// Where the gradients go next, one edge per input of the operation in the forward pass.
    /// Empty at leaves.
    pub fn next_functions(&self) -> Vec<Edge> {
        // SAFETY: the node is ours.
        let count = unsafe { blitz_node_edge_count(self.pointer()) };
        let edge = |index| {
            let (mut function, mut input_nr) = (ptr::null_mut(), 0);
            // SAFETY: the node is ours; `function` receives null or a node for us to own.
            let message =
                unsafe { blitz_node_edge(self.pointer(), index, &mut function, &mut input_nr) };
            ffi::check("an edge", message).expect("the index is below the number of edges");
            Edge { function: Node::owned(function), input_nr }
        };
        (0..count).map(edge).collect()
    }

    /// The leaf into whose `grad` an `AccumulateGrad` adds; `None` for all other nodes. It is the
    /// same tensor: a change through one handle is seen through the other.
    pub fn variable(&self) -> Option<Tensor> {
        let mut tensor = ptr::null_mut();
        // SAFETY: the node is ours; `tensor` receives null or a new handle for us to own.
        unsafe {
            let message = blitz_node_variable(self.pointer(), &mut tensor);
            ffi::check("the variable of a node", message).expect("reading a handle cannot fail");
            ffi::take(tensor)
        }
    }

    /// Tells nodes apart: equal for equal nodes, and never reused while one of them is held.
    pub fn id(&self) -> usize {
        // SAFETY: the node is ours.
        unsafe { blitz_node_address(self.pointer()) }
    }

    /// Counts the operations of the thread that recorded the graph: later ones have the higher
    /// number and run earlier in the backward pass. `u64::MAX` at leaves, which run first of all
    /// that are ready.
    pub fn sequence_nr(&self) -> u64 {
        // SAFETY: the node is ours.
        unsafe { blitz_node_sequence_nr(self.pointer()) }
    }

    fn pointer(&self) -> *const Shared {
        self.shared.as_ptr()
    }
}

impl Clone for Node {
    fn clone(&self) -> Node {
        // SAFETY: the node is ours; the copy is new and not null.
        let shared = unsafe { blitz_node_clone(self.pointer()) };
        Node::owned(shared).expect("C++'s new does not return null")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // SAFETY: the node is ours and is not used afterwards.
        unsafe { blitz_node_free(self.shared.as_ptr()) }
    }
}

// SAFETY: a std::shared_ptr may move to another thread, and so may tensors, which a node refers to.
unsafe impl Send for Node {}

impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Node {}

impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.name())
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} at {:#x}>", self.name(), self.id())
    }
}

/// Nodes without a name of their own are called as their C++ class
/// (`torch::autograd::AccumulateGrad`), of which Python shows the last part.
fn without_namespace(name: &str) -> &str {
    let class = name.split('<').next().unwrap_or(name);
    class.rfind("::").map_or(name, |at| &name[at + 2..])
}

/// `std::shared_ptr<torch::autograd::Node>`, of which Rust knows the address only.
#[repr(C)]
pub(super) struct Shared {
    opaque: [u8; 0],
    marker: PhantomData<*mut u8>,
}

unsafe extern "C" {
    fn blitz_node_of(tensor: *mut C_tensor, result: *mut *mut Shared) -> *mut c_char;
    fn blitz_node_clone(node: *const Shared) -> *mut Shared;
    pub(super) fn blitz_node_free(node: *mut Shared);
    fn blitz_node_address(node: *const Shared) -> usize;
    fn blitz_node_sequence_nr(node: *const Shared) -> u64;
    fn blitz_node_name(node: *const Shared, result: *mut *mut c_char) -> *mut c_char;
    fn blitz_node_edge_count(node: *const Shared) -> usize;
    fn blitz_node_edge(
        node: *const Shared,
        index: usize,
        function: *mut *mut Shared,
        input_nr: *mut u32,
    ) -> *mut c_char;
    fn blitz_node_variable(node: *const Shared, result: *mut *mut C_tensor) -> *mut c_char;
}

#[cfg(test)]
mod tests {
    use super::without_namespace;

    #[test]
    fn names_are_those_of_python() {
        assert_eq!(without_namespace("AddBackward0"), "AddBackward0");
        assert_eq!(without_namespace("torch::autograd::AccumulateGrad"), "AccumulateGrad");
        assert_eq!(without_namespace("torch::autograd::CppNode<a::B>"), "CppNode<a::B>");
    }
}
