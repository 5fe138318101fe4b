//! Where sizes change in a net, and where its parameters are.

pub(super) mod record;
mod row;
mod table;
pub(super) mod trace;

use tch::nn::{ModuleT, VarStore};
use tch::{Tensor, no_grad};

use super::{count_parameters, named_parameters};
use crate::display::{Bundle, Output, Show};
use crate::error::{Error, Result};

use record::{Operation, Recording};
pub use row::{Summary, SummaryRow};
use trace::Tracer;

/// Runs `net` once on `input`, without gradients and in evaluation mode, and lists what happened:
/// a row per operation with the size of its output (as `torchinfo.summary` does per module).
///
/// Works for any net, because libtorch itself tells which operations run; those inside another
/// operation are left out. Layers get their names from `vs`, by the parameters they use. Nothing
/// is modified.
///
/// ```
/// use blitz::nn::{cifar10_net, summary};
/// use blitz::tch::{Device, Kind, Tensor, nn::VarStore};
///
/// let vs = VarStore::new(Device::Cpu);
/// let net = cifar10_net(&vs.root());
/// let images = Tensor::zeros([4, 3, 32, 32], (Kind::Float, Device::Cpu));
/// let summary = summary(&net, &vs, &images)?;
/// assert_eq!(summary.rows[0].name, "conv1");
/// assert_eq!(summary.rows[0].output, [4, 6, 28, 28]);
/// assert_eq!(summary.parameters, 62_006);
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Forward`] where the net panics, as for an input of the wrong size: the layer, what it
/// said, and the sizes up to there.
pub fn summary(net: &(impl ModuleT + ?Sized), vs: &VarStore, input: &Tensor) -> Result<Summary> {
    let mut tracer = Tracer::new(named_parameters(vs));
    let operations = match run(net, input)? {
        Recording { operations, panic: None } => operations,
        Recording { operations, panic: Some(reason) } => {
            return Err(failed(&mut tracer, &mut |_| None, operations, input, reason));
        }
    };
    let rows: Vec<SummaryRow> =
        operations.iter().filter_map(|operation| tracer.row(operation)).collect();
    let parameters = vs.trainable_variables();
    let size = |tensor: &Tensor| tensor.numel() * tensor.kind().elt_size_in_bytes();
    Ok(Summary {
        input: input.size(),
        rows,
        parameters: count_parameters(vs),
        trainable: parameters.iter().filter(|p| p.requires_grad()).map(Tensor::numel).sum(),
        bytes: parameters.iter().map(size).sum(),
        unused: tracer.unused(),
    })
}

/// Runs `net` once, without gradients and in evaluation mode.
pub(super) fn run(net: &(impl ModuleT + ?Sized), input: &Tensor) -> Result<Recording> {
    no_grad(|| {
        record::record(|| {
            let evaluate = false;
            drop(net.forward_t(input, evaluate));
        })
    })
}

/// Says where a forward pass that panicked with `reason` had got to. `unnamed` says what an operation is
/// called whose parameters have no name.
pub(super) fn failed(
    tracer: &mut Tracer,
    unnamed: &mut dyn FnMut(&Operation) -> Option<String>,
    mut operations: Vec<Operation>,
    input: &Tensor,
    reason: String,
) -> Error {
    let mut label = |operation: &Operation, name: String, kind: String| match name.is_empty() {
        true => unnamed(operation).unwrap_or(kind),
        false => name,
    };
    // An operation that libtorch refuses has no output; others fail between operations.
    let refused = operations.pop_if(|operation| operation.output.is_none());
    let mut sizes = format!("input {:?}", input.size());
    let mut last = "the input".to_owned();
    for operation in &operations {
        let Some(row) = tracer.row(operation) else { continue };
        last = label(operation, row.name, row.kind);
        sizes += &format!(" -> {last} {:?}", row.output);
    }
    let layer = match refused {
        Some(operation) => {
            let (name, kind) = tracer.label(&operation);
            label(&operation, name, kind)
        }
        None => format!("a step after {last}"),
    };
    Error::Forward { layer, reason, sizes }
}

impl Summary {
    /// Shows the table now: [`crate::display::show`].
    pub fn show(&self) {
        crate::display::show(self);
    }

    /// What evcxr calls when the summary is the last expression of a cell.
    pub fn evcxr_display(&self) {
        Output::standard().result(&self.bundle());
    }
}

impl Show for Summary {
    fn bundle(&self) -> Bundle {
        Bundle::new().with_text("text/html", table::table(self).html()).with_alt(self.to_string())
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&table::table(self).text())
    }
}
