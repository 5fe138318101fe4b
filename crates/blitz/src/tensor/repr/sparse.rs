//! Sparse tensors are printed as the parts that they are stored in.

use tch::{TchError, Tensor};

use super::dense::dense;
use super::facts::Layout;
use super::layout::{PREFIX, tuple};
use super::options::ReprOptions;

/// The number of stored elements (blocks, where the layout has blocks).
pub(super) fn stored(tensor: &Tensor, layout: Layout) -> Result<i64, TchError> {
    match layout {
        Layout::Sparse => tensor.f_internal_nnz(),
        _ => Ok(values(tensor, layout)?.size().first().copied().unwrap_or(0)),
    }
}

/// The parts, each as `name=tensor(...)` on lines of its own.
pub(super) fn contents(
    tensor: &Tensor,
    layout: Layout,
    options: &ReprOptions,
) -> Result<String, TchError> {
    let parts = match layout {
        Layout::Sparse => vec![("indices", tensor.f_internal_indices()?)],
        Layout::Csr | Layout::Bsr => {
            vec![
                ("crow_indices", tensor.f_crow_indices()?),
                ("col_indices", tensor.f_col_indices()?),
            ]
        }
        _ => {
            vec![
                ("ccol_indices", tensor.f_ccol_indices()?),
                ("row_indices", tensor.f_row_indices()?),
            ]
        }
    };
    let parts = parts.into_iter().chain([("values", values(tensor, layout)?)]);
    let lines: Result<Vec<String>, TchError> =
        parts.map(|(name, part)| line(name, &part, options)).collect();
    Ok(lines?.join(&format!(",\n{}", " ".repeat(PREFIX.len()))))
}

fn values(tensor: &Tensor, layout: Layout) -> Result<Tensor, TchError> {
    match layout {
        Layout::Sparse => tensor.f_internal_values(),
        _ => tensor.f_values(),
    }
}

fn line(name: &str, part: &Tensor, options: &ReprOptions) -> Result<String, TchError> {
    let prefix = format!("{name}={PREFIX}");
    let numbers = dense(&part.f_detach()?, PREFIX.len() + prefix.len(), options)?;
    let size = match part.numel() {
        0 => format!(", size={}", tuple(&part.size())),
        _ => String::new(),
    };
    Ok(format!("{prefix}{numbers}{size})"))
}
