//! The formats of parameter files.

use std::io::Write;
use std::path::Path;

use tch::Tensor;

use super::{atomic, pth, safetensors};
use crate::error::{Error, Result};

/// How a file holds named tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Hugging Face's.
    Safetensors,
    /// A zip archive and a pickle: `torch.save(net.state_dict(), path)`.
    Pth,
    /// libtorch's own for C++.
    Ot,
}

impl Format {
    /// By the extension.
    pub(super) fn of(path: &Path) -> Result<Format> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("safetensors") => Ok(Format::Safetensors),
            Some("pth" | "pt") => Ok(Format::Pth),
            Some("ot") => Ok(Format::Ot),
            _ => Err(Error::Option {
                option: "path",
                expected: "a file name ending in .safetensors, .pth or .ot".to_owned(),
                got: path.display().to_string(),
            }),
        }
    }

    /// Replaces the file by `tensors`, which are contiguous and on the CPU.
    pub(super) fn write(self, tensors: &[(String, Tensor)], path: &Path) -> Result<()> {
        atomic::replace(path, |file| match self {
            Format::Pth => pth::write(tensors, file, path),
            Format::Safetensors => safetensors::write(tensors, file, path),
            Format::Ot => write_ot(tensors, file, path),
        })
    }

    /// The tensors of the file; `check` sees their names and shapes first.
    pub(super) fn read(
        self,
        path: &Path,
        check: impl FnOnce(&[(String, Vec<i64>)]) -> Result<()>,
    ) -> Result<Vec<(String, Tensor)>> {
        let tensors = match self {
            Format::Pth => return pth::read(path, check),
            Format::Safetensors => Tensor::read_safetensors(path),
            Format::Ot => Tensor::load_multi(path),
        };
        let tensors = tensors.map_err(|error| Error::DamagedCheckpoint {
            path: path.to_owned(),
            reason: match Error::torch("reading it")(error) {
                Error::Torch { message, .. } => message,
                other => other.to_string(),
            },
        })?;
        let shapes: Vec<_> =
            tensors.iter().map(|(name, tensor)| (name.clone(), tensor.size())).collect();
        check(&shapes)?;
        Ok(tensors)
    }
}

/// `.ot` by way of memory, because tch ends the program where the disk refuses.
fn write_ot(tensors: &[(String, Tensor)], file: &mut impl Write, path: &Path) -> Result<()> {
    let mut bytes = Vec::new();
    Tensor::save_multi_to_stream(tensors, &mut bytes)
        .map_err(Error::torch("saving the parameters"))?;
    file.write_all(&bytes).map_err(Error::io("write", path))
}
