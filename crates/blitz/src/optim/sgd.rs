//! Stochastic gradient descent.

mod options;
mod state;

use std::ffi::c_char;

use tch::Tensor;
use tch::nn::VarStore;
use torch_sys::C_tensor;

use super::learning::{Learning, check_loss};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::ffi;
use crate::nn::named_parameters;

pub use options::SgdOptions;
use options::at_least_0;

/// Stochastic gradient descent over the parameters of a `VarStore` (`torch.optim.SGD`).
///
/// It goes on where `vs.set_device(device)` has moved its parameters: the next step takes the
/// momentum there, too ([`crate::device`]).
///
/// ```
/// use blitz::nn::{self, Module};
/// use blitz::optim::{Sgd, SgdOptions};
/// use blitz::tch::{Device, Kind, Tensor};
///
/// let vs = nn::VarStore::new(Device::Cpu);
/// let net = nn::linear(vs.root(), 3, 1);
/// let mut optimizer = Sgd::new(&vs, SgdOptions { lr: 0.1, momentum: 0.9, ..Default::default() })?;
/// let inputs = Tensor::ones([2, 3], (Kind::Float, Device::Cpu));
/// let loss = || net.forward(&inputs).square().mean(Kind::Float);
/// let before = loss();
/// optimizer.backward_step(&before)?;
/// assert!(loss().double_value(&[]) < before.double_value(&[]));
/// # Ok::<(), blitz::Error>(())
/// ```
#[derive(Debug)]
pub struct Sgd {
    options: SgdOptions,
    names: Vec<String>,
    parameters: Vec<Tensor>,
    /// One per parameter; undefined until its first step.
    buffers: Vec<Tensor>,
    /// How often the buffers have been replaced, for a CUDA graph that holds their addresses.
    loads: usize,
    learning: Learning,
}

impl Sgd {
    /// An optimizer for the parameters that `vs` has now. Frozen ones, and such as get no gradient,
    /// stay as they are.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] for a value outside the range that [`SgdOptions`] names, or not finite.
    pub fn new(vs: &VarStore, options: SgdOptions) -> Result<Sgd> {
        options.check()?;
        let (names, parameters): (Vec<_>, Vec<_>) = named_parameters(vs).into_iter().unzip();
        let buffers = parameters.iter().map(|_| Tensor::new()).collect();
        let learning = Learning::default();
        Ok(Sgd { options, names, parameters, buffers, loads: 0, learning })
    }

    /// Forgets the gradients: afterwards `parameter.grad().defined()` is false (Python's
    /// `grad is None`) until the next backward pass.
    pub fn zero_grad(&mut self) {
        let parameters = pointers(&self.parameters);
        // SAFETY: as many live tensors are lent as are counted.
        let mut forgotten = 0;
        let message =
            unsafe { blitz_optim_zero_grad(parameters.as_ptr(), parameters.len(), &mut forgotten) };
        ffi::check("forgetting the gradients", message).expect("a parameter may have a gradient");
        self.learning.forgot(forgotten);
    }

    /// Changes the parameters in place by their gradients, and the momentum with them. A parameter
    /// without a gradient is skipped.
    ///
    /// # Errors
    ///
    /// [`Error::NoGradient`] where no parameter has had a gradient yet, as with an optimizer made
    /// for another net, and where a second step comes, before any that changed something, whose
    /// gradients [`Sgd::zero_grad`] has just forgotten: such a training would learn nothing. Once a
    /// step has changed something, one without gradients changes nothing, as in PyTorch.
    /// [`Error::Torch`] where a gradient put there by hand does not fit its parameter.
    pub fn step(&mut self) -> Result<()> {
        let changed = self.change()?;
        self.learning.stepped(changed, &self.parameters)
    }

    /// As [`Sgd::step`]; returns how many parameters had a gradient.
    fn change(&mut self) -> Result<usize> {
        let (parameters, buffers) = (pointers(&self.parameters), pointers(&self.buffers));
        // SAFETY: both lists hold as many live tensors as are counted; C++ may put another tensor
        // into the buffers, which this borrows mutably.
        let mut changed = 0;
        let message = unsafe {
            blitz_optim_sgd_step(
                parameters.as_ptr(),
                buffers.as_ptr(),
                parameters.len(),
                &CSgd::from(&self.options),
                &mut changed,
            )
        };
        ffi::check("the optimizer's step", message)?;
        Ok(changed)
    }

    /// `zero_grad()`, `loss.backward()` and `step()` at once. `loss` has one element; its graph is
    /// freed.
    ///
    /// # Errors
    ///
    /// [`Error::NoGradient`] where the loss depends on none of this optimizer's parameters, or all
    /// of them are frozen; [`Error::Shape`] where `loss` has no gradient or several elements,
    /// [`Error::Torch`] where an earlier pass has freed its graph, [`Error::Backward`] where a hook
    /// or a function of one's own failed. The parameters have not changed then.
    pub fn backward_step(&mut self, loss: &Tensor) -> Result<()> {
        self.backward(loss)?;
        let changed = self.change()?;
        self.learning.stepped_by_loss(changed, &self.parameters)
    }

    /// The learning rate.
    pub fn lr(&self) -> f64 {
        self.options.lr
    }

    /// Sets the learning rate of the steps to come.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] where `lr` is below 0 or not finite; the rate stays as it was.
    pub fn set_lr(&mut self, lr: f64) -> Result<()> {
        at_least_0("lr", lr)?;
        self.options.lr = lr;
        Ok(())
    }

    /// What the optimizer was made with, and the learning rate as it is now.
    pub fn options(&self) -> SgdOptions {
        self.options
    }

    /// As [`Sgd::step`] in one kernel, with the learning rate from `lr`, f32 of shape [] on the
    /// parameters' device, all of which are there. May round in another way. The gradients are
    /// those of a loss, by [`Sgd::backward`].
    pub(in crate::optim) fn fused_step(&mut self, lr: &Tensor) -> Result<()> {
        let (parameters, buffers) = (pointers(&self.parameters), pointers(&self.buffers));
        let mut changed = 0;
        // SAFETY: as in `change`.
        let message = unsafe {
            blitz_optim_sgd_fused_step(
                parameters.as_ptr(),
                buffers.as_ptr(),
                parameters.len(),
                &CSgd::from(&self.options),
                ffi::lend(lr),
                &mut changed,
            )
        };
        ffi::check("the optimizer's step", message)?;
        self.learning.stepped_by_loss(changed, &self.parameters)
    }

    pub(in crate::optim) fn parameters(&self) -> &[Tensor] {
        &self.parameters
    }

    /// Where the parameters and the momentum lie: what a CUDA graph of the step depends on.
    pub(in crate::optim) fn addresses(&self) -> (usize, Vec<usize>) {
        let address = |tensor: &Tensor| tensor.data_ptr() as usize;
        (self.loads, self.parameters.iter().map(address).collect())
    }

    /// `zero_grad()` and `loss.backward()`.
    pub(in crate::optim) fn backward(&mut self, loss: &Tensor) -> Result<()> {
        check_loss(loss, &self.parameters)?;
        let parameters = pointers(&self.parameters);
        // SAFETY: as many live tensors are lent as are counted, and so is the loss.
        let message =
            unsafe { blitz_optim_backward(parameters.as_ptr(), parameters.len(), ffi::lend(loss)) };
        ffi::check("the backward pass", message)
    }
}

/// The tensors' handles, as C++ takes a list.
fn pointers(tensors: &[Tensor]) -> Vec<*mut C_tensor> {
    tensors.iter().map(ffi::lend).collect()
}

/// `Sgd` of cpp/optim_sgd_update.h.
#[repr(C)]
struct CSgd {
    lr: f64,
    momentum: f64,
    dampening: f64,
    weight_decay: f64,
    nesterov: bool,
}

impl From<&SgdOptions> for CSgd {
    fn from(options: &SgdOptions) -> CSgd {
        let SgdOptions { lr, momentum, dampening, weight_decay, nesterov } = *options;
        CSgd { lr, momentum, dampening, weight_decay, nesterov }
    }
}

unsafe extern "C" {
    fn blitz_optim_zero_grad(
        parameters: *const *mut C_tensor,
        count: usize,
        forgotten: *mut usize,
    ) -> *mut c_char;
    fn blitz_optim_sgd_step(
        parameters: *const *mut C_tensor,
        buffers: *const *mut C_tensor,
        count: usize,
        sgd: *const CSgd,
        changed: *mut usize,
    ) -> *mut c_char;
    fn blitz_optim_sgd_fused_step(
        parameters: *const *mut C_tensor,
        buffers: *const *mut C_tensor,
        count: usize,
        sgd: *const CSgd,
        lr: *mut C_tensor,
        changed: *mut usize,
    ) -> *mut c_char;
    fn blitz_optim_backward(
        parameters: *const *mut C_tensor,
        count: usize,
        loss: *mut C_tensor,
    ) -> *mut c_char;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    /// A parameter after four steps, in the second of which only another had a gradient.
    fn steps(options: SgdOptions, step: impl Fn(&mut Sgd) -> Result<()>) -> Tensor {
        let vs = VarStore::new(Device::Cpu);
        let parameter = vs.root().var_copy("p", &Tensor::linspace(-1, 2, 21, FLOAT));
        let other = vs.root().var_copy("other", &Tensor::ones([3], FLOAT));
        let mut optimizer = Sgd::new(&vs, options).unwrap();
        for round in 0..4 {
            optimizer.zero_grad();
            other.sum(Kind::Float).backward();
            if round != 1 {
                (parameter.square() * f64::from(round + 1)).sum(Kind::Float).backward();
            }
            step(&mut optimizer).unwrap();
        }
        parameter.detach().copy()
    }

    const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

    #[test]
    fn the_fused_kernel_gives_the_same_numbers_but_for_rounding() {
        for (momentum, dampening, weight_decay, nesterov) in
            [(0.0, 0.0, 0.1, false), (0.9, 0.3, 0.0, false), (0.8, 0.0, 0.05, true)]
        {
            let options = SgdOptions { lr: 0.03, momentum, dampening, weight_decay, nesterov };
            let lr = Tensor::from(0.03f32);
            let fused = steps(options, |optimizer| optimizer.fused_step(&lr));
            let plain = steps(options, Sgd::step);
            assert!(fused.allclose(&plain, 1e-5, 1e-6, false), "{options:?}");
            assert!(!fused.allclose(&Tensor::linspace(-1, 2, 21, FLOAT), 0.1, 0.1, false));
        }
    }
}
