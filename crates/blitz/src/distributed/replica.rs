//! A net's copy on a further device, whose variables follow those of the original.

use std::collections::BTreeMap;

use tch::nn::{Path, VarStore};
use tch::{Device, Tensor, no_grad};

use super::thread_state::is_grad_enabled;
use crate::checkpoint::generator;
use crate::device;
use crate::error::{Error, Result};
use crate::nn::identity;

/// A copy of a net, and its variables beside the original's.
#[derive(Debug)]
pub(super) struct Replica<M> {
    pub net: M,
    pub device: Device,
    variables: Vec<Variable>,
}

/// A variable of the original, and what stands for it in the copy.
#[derive(Debug)]
struct Variable {
    original: Tensor,
    copy: Tensor,
    is_parameter: bool,
    copied: Option<Copied>,
}

/// When the copy was made: libtorch counts the changes of each tensor.
#[derive(Debug, PartialEq)]
struct Copied {
    of: i64,
    to: i64,
    has_graph: bool,
}

impl<M> Replica<M> {
    /// Makes a net on `device`, whose variables must be those of `vs` by name, shape and kind.
    pub fn new(vs: &VarStore, device: Device, make: impl Fn(&Path) -> M) -> Result<Replica<M>> {
        let mut own = VarStore::new(device);
        let net = make(&own.root());
        own.freeze(); // What a copy learns goes to the original, through the graph.
        let trained: Vec<usize> = vs.trainable_variables().iter().map(identity).collect();
        let originals: BTreeMap<String, Tensor> = vs.variables().into_iter().collect();
        let mut copies: BTreeMap<String, Tensor> = own.variables().into_iter().collect();
        let mut variables = Vec::new();
        for (name, original) in originals {
            let copy = copies.remove(&name);
            let found = copy.as_ref().map_or("no such variable".to_owned(), form);
            let Some(copy) = copy.filter(|_| found == form(&original)) else {
                return Err(other_net(&name, &form(&original), device, &found));
            };
            let is_parameter = trained.contains(&identity(&original));
            variables.push(Variable { original, copy, is_parameter, copied: None });
        }
        match copies.pop_first() {
            Some((name, copy)) => Err(other_net(&name, "no such variable", device, &form(&copy))),
            None => Ok(Replica { net, device, variables }),
        }
    }

    /// Gives the copy the values of the original, as a step of the graph where gradients are
    /// recorded.
    pub fn refresh(&mut self) {
        for variable in &mut self.variables {
            match variable.is_parameter {
                true => variable.refresh_parameter(self.device),
                false => variable.refresh_values(),
            }
        }
    }
}

impl Variable {
    fn refresh_parameter(&mut self, device: Device) {
        let learns = self.original.requires_grad() && is_grad_enabled();
        if self.is_current(learns) {
            // Another forward pass with the same parameters, whose copies an earlier graph may
            // hold: they stay. A replayed CUDA graph changes parameters without being counted.
            if self.original.device().is_cuda() {
                self.refresh_values();
            }
            return;
        }
        drop(self.copy.detach_());
        if form(&self.copy) != form(&self.original) {
            // The store has been given another kind.
            self.copy.set_data(&self.original.detach().to_device(device).copy());
        }
        self.copy.copy_(&self.original); // CopyBackwards: hands the gradient to the original.
        let (of, to) = (self.original.internal_version(), self.copy.internal_version());
        self.copied = Some(Copied { of, to, has_graph: learns });
    }

    /// Whether the copy has the original's values, and the graph where one is wanted.
    fn is_current(&self, learns: bool) -> bool {
        let Some(copied) = &self.copied else { return false };
        let (of, to) = (self.original.internal_version(), self.copy.internal_version());
        let has_graph = if is_grad_enabled() { learns } else { copied.has_graph };
        *copied == Copied { of, to, has_graph } && form(&self.copy) == form(&self.original)
    }

    /// Overwrites the values, unseen by graphs.
    fn refresh_values(&mut self) {
        no_grad(|| self.copy.data().copy_(&self.original));
    }
}

/// Does `work`, and lets the random generators go on as if it had not drawn.
pub(super) fn without_drawing<T>(
    devices: &[Device],
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let states = devices.iter().map(|device| Ok((*device, generator::states(*device)?)));
    let states = states.collect::<Result<Vec<_>>>()?;
    let done = work()?;
    states.iter().try_for_each(|(device, states)| generator::restore(*device, states))?;
    Ok(done)
}

fn form(tensor: &Tensor) -> String {
    format!("{:?} {:?}", tensor.kind(), tensor.size())
}

fn other_net(name: &str, original: &str, device: Device, copy: &str) -> Error {
    let device = device::name(device);
    let got = format!("{name}: {original} on the first device, {copy} on {device}");
    Error::option("make", "a function that makes the same variables each time", got)
}
