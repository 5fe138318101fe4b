//! What an optimizer remembers from step to step, for checkpoints.

use std::collections::HashMap;

use tch::Tensor;

use super::Sgd;
use crate::error::{Error, Result};

impl Sgd {
    /// The momentum of each parameter by the parameter's name, in the parameters' order; parameters
    /// that no step has changed yet have none. The tensors share memory with the optimizer: the
    /// next step changes them, so save or copy them before.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let named = self.names.iter().zip(&self.buffers);
        let made = named.filter(|(_, buffer)| buffer.defined());
        made.map(|(name, buffer)| (name.clone(), buffer.detach())).collect()
    }

    /// Continues from what [`Sgd::state`] gave, here or in another run, on whichever device the
    /// parameters are. The tensors are copied; a parameter that is not among them starts anew.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a name that is no parameter's or comes twice, for another shape or kind
    /// than the parameter's, and for any momentum where this optimizer has none;
    /// [`Error::Torch`] where the device has no room. Nothing has changed then.
    pub fn load_state(&mut self, state: &[(String, Tensor)]) -> Result<()> {
        if let (true, Some((name, _))) = (self.options.momentum == 0.0, state.first()) {
            let expected = "no momentum, because this optimizer was made with momentum 0";
            return refuse(expected.to_owned(), format!("that of {name}"));
        }
        let positions: HashMap<&str, usize> =
            self.names.iter().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
        let mut buffers: Vec<Tensor> = self.names.iter().map(|_| Tensor::new()).collect();
        for (name, tensor) in state {
            let Some(&index) = positions.get(name.as_str()) else {
                let known = "a name of one of the net's parameters";
                return refuse(format!("{known} ({})", self.names.join(", ")), name.clone());
            };
            if buffers[index].defined() {
                return refuse("each name once".to_owned(), format!("{name} twice"));
            }
            buffers[index] = fitting(name, tensor, &self.parameters[index])?;
        }
        self.buffers = buffers;
        self.loads += 1;
        Ok(())
    }
}

/// A copy of `buffer` on the parameter's device.
fn fitting(name: &str, buffer: &Tensor, parameter: &Tensor) -> Result<Tensor> {
    let (shape, kind) = (parameter.size(), parameter.kind());
    if !buffer.defined() || buffer.size() != shape || buffer.kind() != kind {
        let got = match buffer.defined() {
            true => format!("{:?} {:?}", buffer.kind(), buffer.size()),
            false => "an undefined tensor".to_owned(),
        };
        return refuse(format!("momentum for {name}, {kind:?} {shape:?}"), got);
    }
    let copied = buffer.detach().f_to_device_(parameter.device(), kind, false, true);
    copied.map_err(Error::torch("copying the momentum to the device"))
}

fn refuse<T>(expected: String, got: String) -> Result<T> {
    Err(Error::Shape { operation: "load_state", expected, got })
}
