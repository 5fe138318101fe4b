//! A net drawn as LeNet is in its paper (LeCun et al., 1998, figure 2).

mod layout;
mod stages;
mod svg;

use std::fmt;

use tch::nn::ModuleT;
use tch::{Device, Kind, Tensor};

use super::summary::record::{Operation, Recording};
use super::summary::trace::Tracer;
use super::summary::{failed, run};
use crate::display::{Bundle, Output, Show, Svg};
use crate::error::{Error, Result};

pub use stages::Stage;

/// A net as a picture: the input and the feature maps are stacked squares, what a fully connected
/// layer gives is a bar, and each arrow says what is computed. Made by [`diagram`].
///
/// As the last expression of a cell it shows itself; its text alternative, and its `{}`, is
/// [`Diagram::to_text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagram {
    /// Shape of the input without the batch, such as `[1, 32, 32]`.
    pub input: Vec<i64>,
    /// What comes out of each operation, in the order in which they run.
    pub stages: Vec<Stage>,
}

/// Runs `net` once on zeros of `shape`, such as `[N, C, H, W]`, without gradients and in evaluation
/// mode, and draws what happened. The batch size `N` is not in the picture.
///
/// Convolutions, pooling and fully connected layers are drawn, and other operations that change
/// the shape; those that keep it, such as `relu`, belong to the stage before them. Convolutions
/// and fully connected layers are counted: `conv1`, `conv2`, `fc1` ... (the names in the variable
/// store are in [`summary`](super::summary())). The zeros have the kind and device of the net's
/// parameters. Nothing is modified.
///
/// ```
/// use blitz::nn::{cifar10_net, diagram};
/// use blitz::tch::{Device, nn::VarStore};
///
/// let vs = VarStore::new(Device::Cpu);
/// let net = cifar10_net(&vs.root());
/// assert_eq!(
///     diagram(&net, &[1, 3, 32, 32])?.to_text(),
///     "input 3@32×32 → conv1 5×5 6@28×28 → max pool 2×2 6@14×14 → conv2 5×5 16@10×10 → \
///      max pool 2×2 16@5×5 → fc1 120 → fc2 84 → fc3 10"
/// );
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Forward`] where the net panics, as for an input of the wrong size: the operation, what
/// it said, and the sizes up to there. [`Error::Torch`] for a shape that no tensor can have.
pub fn diagram(net: &(impl ModuleT + ?Sized), shape: &[i64]) -> Result<Diagram> {
    let zeros = |placement| Tensor::f_zeros(shape, placement).map_err(Error::torch("diagram"));
    let usual = (Kind::Float, Device::Cpu);
    let mut input = zeros(usual)?;
    let mut recording = run(net, &input)?;
    // Only the refusal tells where the parameters are: a net does not say.
    if let Some(placement) = refused_for(&recording).filter(|placement| *placement != usual) {
        input = zeros(placement)?;
        recording = run(net, &input)?;
    }
    let Recording { operations, panic } = recording;
    if let Some(reason) = panic {
        // As the picture would call them: names of parameters are the store's.
        let mut names = stages::Names::default();
        let mut unnamed = |operation: &Operation| names.of(&operation.name);
        let mut tracer = Tracer::new(Vec::new());
        return Err(failed(&mut tracer, &mut unnamed, operations, &input, reason));
    }
    Ok(stages::diagram(&input, &operations))
}

/// Kind and device of the parameters of the operation that was refused, if one was.
fn refused_for(recording: &Recording) -> Option<(Kind, Device)> {
    recording.panic.as_ref()?;
    let Operation { output: None, placement, .. } = recording.operations.last()? else {
        return None;
    };
    *placement
}

impl Diagram {
    /// The net in one line: `input 1@32×32 → conv1 5×5 6@28×28 → max pool 2×2 6@14×14 → …`, sizes as
    /// in the picture: `C@H×W` for `C` maps, a number for so many features.
    ///
    /// What does not come from the stage before it says so, as `conv7 1×1 128@16×16 (from conv4)`,
    /// and `+ conv4` follows a stage to which the values of another one are joined.
    pub fn to_text(&self) -> String {
        let mut text = format!("input {}", stages::size(&self.input));
        for (index, stage) in self.stages.iter().enumerate() {
            text += &format!(" → {} {}", stage.label(), stages::size(&stage.shape));
            if stage.from != index {
                text += &format!(" (from {})", self.label(stage.from));
            }
            for joined in &stage.joined {
                text += &format!(" + {}", self.label(*joined));
            }
        }
        text
    }

    /// What a stage is called, by [`Stage::from`]'s numbers.
    fn label(&self, from: usize) -> String {
        match from.checked_sub(1).and_then(|index| self.stages.get(index)) {
            None => "input".to_owned(),
            Some(stage) if stage.name.is_empty() => stage.label(),
            Some(stage) => stage.name.clone(),
        }
    }

    /// The net as a picture, readable on light and on dark pages. Long nets take several rows; of
    /// more than 100 stages the first are drawn.
    pub fn picture(&self) -> Svg<String> {
        Svg(svg::svg(self))
    }

    /// Shows the picture now: [`crate::display::show`].
    pub fn show(&self) {
        crate::display::show(self);
    }

    /// What evcxr calls when the diagram is the last expression of a cell.
    pub fn evcxr_display(&self) {
        Output::standard().result(&self.bundle());
    }
}

impl Show for Diagram {
    fn bundle(&self) -> Bundle {
        self.picture().with_alt(self.to_text())
    }
}

impl fmt::Display for Diagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}
