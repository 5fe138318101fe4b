//! The formats in which parameters are written.

use std::io::Write;
use std::path::Path;
use std::ptr::NonNull;

use tch::{Device, Tensor};

use super::plain::Plain;
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
    /// By the name's ending, in capitals or not.
    pub(super) fn of(path: &Path) -> Result<Format> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("safetensors") => Ok(Format::Safetensors),
            Some("pth" | "pt" | "bin" | "ckpt") => Ok(Format::Pth),
            Some("tar") if name.ends_with(".pth.tar") => Ok(Format::Pth),
            Some("ot") => Ok(Format::Ot),
            _ => Err(Error::option(
                "path",
                "a file name ending in .safetensors, .pth or .ot",
                path.display(),
            )),
        }
    }

    /// Replaces the file by `tensors`.
    pub(super) fn write(self, tensors: &[Plain], path: &Path) -> Result<()> {
        atomic::replace(path, |file| match self {
            Format::Pth => pth::write(tensors, file, path),
            Format::Safetensors => safetensors::write(tensors, file, path),
            Format::Ot => write_ot(tensors, file, path),
        })
    }
}

/// `.ot` by way of memory, because tch ends the program where the disk refuses.
fn write_ot(tensors: &[Plain], file: &mut impl Write, path: &Path) -> Result<()> {
    let placed: Vec<Tensor> = tensors.iter().map(|plain| placed(&plain.tensor)).collect();
    let names = tensors.iter().map(|plain| plain.name.as_str());
    let tensors: Vec<(&str, &Tensor)> = names.zip(&placed).collect();
    let mut bytes = Vec::new();
    Tensor::save_multi_to_stream(&tensors, &mut bytes)
        .map_err(Error::torch("saving the parameters"))?;
    file.write_all(&bytes).map_err(Error::io("write", path))
}

/// `tensor`, and one without elements with an address all the same: tch makes a slice of what libtorch
/// hands it, and a slice at address zero ends a program that has debug assertions, as cells have.
fn placed(tensor: &Tensor) -> Tensor {
    if tensor.numel() > 0 {
        return tensor.shallow_clone();
    }
    let (nowhere, size) = (NonNull::<u128>::dangling().as_ptr().cast::<u8>(), tensor.size());
    // SAFETY: it is aligned for each kind, and of no elements nobody reads one.
    unsafe { Tensor::from_blob(nowhere, &size, &tensor.stride(), tensor.kind(), Device::Cpu) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_in_any_case_chooses_the_format() {
        let of = |name: &str| Format::of(Path::new(name)).ok();
        for name in
            ["net.pth", "NET.PTH", "a.b/net.pt", "net.pth.tar", "pytorch_model.bin", "a.ckpt"]
        {
            assert_eq!(of(name), Some(Format::Pth), "{name}");
        }
        assert_eq!(of("net.SafeTensors"), Some(Format::Safetensors));
        assert_eq!(of("net.ot"), Some(Format::Ot));
        for name in ["net", "net.tar", "net.pickle", "safetensors", ""] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
