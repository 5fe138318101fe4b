//! Tensors as they are saved: their numbers in one piece on the CPU.

use tch::{Device, Kind, Tensor};

use super::dtype::{Dtype, torch_reason};
use crate::error::{Error, Result};
use crate::tensor::repr::facts::{Facts, Layout};

/// A tensor whose memory is what a file holds.
pub(super) struct Plain {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    /// Contiguous, without marks, on the CPU.
    pub(super) tensor: Tensor,
}

impl Plain {
    /// From a parameter of any layout, on any device. Shares its memory where it can.
    pub(super) fn new(name: &str, tensor: &Tensor) -> Result<Plain> {
        let refuse = |got: String| Error::Shape {
            operation: "checkpoint::save",
            expected: "parameters of numbers that lie in memory row by row, of a kind that files \
                       hold"
                .to_owned(),
            got: format!("{name}: {got}"),
        };
        let facts = Facts::of(tensor).map_err(|error| refuse(torch_reason(error)))?;
        let kind = tensor.f_kind().map_err(|_| refuse(facts.dtype()))?;
        if matches!(kind, Kind::QInt8 | Kind::QUInt8 | Kind::QInt32) {
            return Err(refuse("a quantised tensor; store its dequantize() instead".to_owned()));
        }
        let dtype = Dtype::of_kind(kind).ok_or_else(|| refuse(facts.dtype()))?;
        if !matches!(facts.layout, Layout::Strided | Layout::Mkldnn) {
            return Err(refuse(
                "a sparse tensor; store its to_dense(None, false) instead".to_owned(),
            ));
        }
        if facts.device == "meta" {
            return Err(refuse("a tensor on the device meta, which has no numbers".to_owned()));
        }
        let plain = || {
            let tensor = tensor.detach();
            let tensor = if tensor.is_mkldnn() { tensor.f_to_dense(kind, false)? } else { tensor };
            // A tensor may have but a mark for its sign or for being conjugate; its memory then
            // holds other numbers than it.
            let tensor = tensor.f_to_device(Device::Cpu)?.f_resolve_conj()?.f_resolve_neg()?;
            tensor.f_contiguous()
        };
        let tensor = plain().map_err(|error| refuse(torch_reason(error)))?;
        Ok(Plain { name: name.to_owned(), dtype, tensor })
    }

    /// Where its numbers lie and what they are: the same for tied parameters. An empty tensor shares
    /// nothing.
    pub(super) fn place(&self) -> (usize, usize, Dtype) {
        let place = match self.tensor.numel() {
            0 => std::ptr::from_ref(self) as usize,
            _ => self.tensor.data_ptr() as usize,
        };
        (place, self.tensor.numel(), self.dtype)
    }

    /// The numbers as they lie in memory.
    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = vec![0; self.tensor.numel() * self.dtype.bytes()];
        self.tensor
            .f_copy_data_u8(&mut bytes, self.tensor.numel())
            .map_err(Error::torch("copying a parameter"))?;
        Ok(bytes)
    }
}
