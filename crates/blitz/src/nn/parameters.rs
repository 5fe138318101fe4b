//! The parameters of a net, as PyTorch lists them.

use std::collections::{BTreeMap, HashMap};
use std::ffi::c_char;

use tch::Tensor;
use tch::nn::VarStore;
use torch_sys::C_tensor;

use crate::ffi;

unsafe extern "C" {
    fn blitz_nn_identity(tensor: *mut C_tensor, identity: *mut usize) -> *mut c_char;
    fn blitz_nn_storage(tensor: *mut C_tensor, storage: *mut usize) -> *mut c_char;
    fn blitz_nn_forget_grad(tensor: *mut C_tensor) -> *mut c_char;
}

/// The parameters in the order in which they were made, each with its name, as
/// `net.named_parameters()` lists them. Buffers, such as running means, are not among them; frozen
/// parameters are. The tensors share memory with the net.
///
/// ```
/// use blitz::nn::{linear, named_parameters};
/// use blitz::tch::{Device, nn::VarStore};
///
/// let vs = VarStore::new(Device::Cpu);
/// let fc2 = linear(vs.root() / "fc2", 120, 84);
/// let fc3 = linear(vs.root() / "fc3", 84, 10);
/// let names: Vec<String> = named_parameters(&vs).into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias"]);
/// ```
pub fn named_parameters(vs: &VarStore) -> Vec<(String, Tensor)> {
    // tch keeps the names without an order, and the order without names.
    let mut names: HashMap<usize, String> =
        vs.variables().into_iter().map(|(name, tensor)| (identity(&tensor), name)).collect();
    let parameters = vs.trainable_variables();
    parameters
        .into_iter()
        // A store merged out of others may know a parameter by no name.
        .filter_map(|tensor| Some((names.remove(&identity(&tensor))?, tensor)))
        .collect()
}

/// All variables with their names: parameters in the order in which they were made, then buffers.
pub(crate) fn named_variables(vs: &VarStore) -> Vec<(String, Tensor)> {
    let mut variables = named_parameters(vs);
    let mut rest = vs.variables();
    for (name, _) in &variables {
        rest.remove(name);
    }
    let rest: BTreeMap<_, _> = rest.into_iter().collect();
    variables.extend(rest);
    variables
}

/// How many numbers a net has to learn: `sum(p.numel() for p in net.parameters())`. Frozen
/// parameters count, buffers do not.
pub fn count_parameters(vs: &VarStore) -> usize {
    vs.trainable_variables().iter().map(Tensor::numel).sum()
}

/// Forgets the gradients of all parameters, as `net.zero_grad()` does: afterwards
/// `parameter.grad().defined()` is false (Python's `grad is None`) until the next `backward`.
///
/// (tch's `parameter.zero_grad()` fills the gradient with zeros instead.)
pub fn zero_grad(vs: &VarStore) {
    for parameter in vs.trainable_variables() {
        // SAFETY: the tensor lives until the call returns.
        let message = unsafe { blitz_nn_forget_grad(ffi::lend(&parameter)) };
        ffi::check("forgetting a gradient", message).expect("a parameter may have a gradient");
    }
}

/// What all handles of one tensor share, and no two tensors that live at the same time.
pub(crate) fn identity(tensor: &Tensor) -> usize {
    let mut identity = 0;
    // SAFETY: the tensor lives until the call returns, and `identity` is ours to write.
    let message = unsafe { blitz_nn_identity(ffi::lend(tensor), &mut identity) };
    ffi::check("identifying a tensor", message).expect("reading a pointer cannot fail");
    identity
}

/// What all views of one memory share; `None` for tensors without such, as sparse ones.
pub(super) fn storage(tensor: &Tensor) -> Option<usize> {
    let mut storage = 0;
    // SAFETY: the tensor lives until the call returns, and `storage` is ours to write.
    let message = unsafe { blitz_nn_storage(ffi::lend(tensor), &mut storage) };
    ffi::check("identifying a storage", message).ok()?;
    (storage != 0).then_some(storage)
}
