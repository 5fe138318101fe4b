//! The numbers of a tensor, in brackets.

use tch::{TchError, Tensor};

use super::elements::{self, Elements};
use super::layout;
use super::number::Formatter;
use super::options::ReprOptions;

/// The numbers in brackets, as they stand `indent` characters from the left. Python's
/// `_tensor_str`.
pub(super) fn dense(
    tensor: &Tensor,
    indent: usize,
    options: &ReprOptions,
) -> Result<String, TchError> {
    if tensor.numel() == 0 {
        return Ok("[]".to_owned());
    }
    let is_summary = tensor.numel() > options.threshold;
    if is_summary && options.edge_items == 0 && tensor.dim() > 0 {
        return Ok("[...]".to_owned());
    }
    let shown = match is_summary {
        true => elements::edges(tensor, options.edge_items)?,
        false => tensor.shallow_clone(),
    };
    let (cells, width) = cells(&Elements::read(&shown)?, options);
    let full: Vec<usize> = tensor.size().iter().map(|&length| length as usize).collect();
    let table = layout::Table { cells: &cells, width, options, is_summary };
    Ok(table.text(&full, indent))
}

/// Each element as text, and the width that they are padded to.
fn cells(elements: &Elements, options: &ReprOptions) -> (Vec<String>, usize) {
    match elements {
        Elements::Whole(values) => {
            let width = values.iter().map(String::len).max().unwrap_or(1);
            (values.iter().map(|value| format!("{value:>width$}")).collect(), width)
        }
        Elements::Floating(values) => {
            let formatter = Formatter::of(values.iter().copied(), options);
            (values.iter().map(|&value| formatter.format(value)).collect(), formatter.width)
        }
        Elements::Complex(values) => {
            let real = Formatter::of(values.iter().map(|value| value.0), options);
            let imaginary = Formatter::of(values.iter().map(|value| value.1), options);
            let cell = |&(a, b): &(f64, f64)| {
                let b = imaginary.format(b);
                let plus = if b.trim_start().starts_with('-') { "" } else { "+" };
                format!("{}{plus}{}j", real.format(a), b.trim_start())
            };
            (values.iter().map(cell).collect(), real.width + imaginary.width + 1)
        }
    }
}
