//! The operations that are drawn, out of those that ran.

use std::collections::HashMap;

use tch::Tensor;

use super::Diagram;
use crate::nn::parameters::storage;
use crate::nn::summary::record::Operation;

/// What comes out of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// `conv1`, `fc1` and the like for layers with parameters, else empty.
    pub name: String,
    /// What is computed, such as `convolution` or `max pool`.
    pub operation: String,
    /// Sides of the window of a convolution or a pooling, such as `[5, 5]`; else none.
    pub window: Vec<i64>,
    /// Shape without the batch: `[C, H, W]` or `[F]`.
    pub shape: Vec<i64>,
    /// Where its values come from: 0 is the input, 1 the first stage.
    pub from: usize,
    /// Further stages whose values are joined to it, as by an addition.
    pub joined: Vec<usize>,
    /// The operations that follow and keep the shape, such as `relu`.
    pub then: Vec<String>,
}

impl Stage {
    /// The name or the operation, and the window: `conv1 5×5`.
    pub(super) fn label(&self) -> String {
        let name = if self.name.is_empty() { &self.operation } else { &self.name };
        with_window(name, &self.window)
    }

    /// The operation with its window: `convolution 5×5`.
    pub(super) fn action(&self) -> String {
        with_window(&self.operation, &self.window)
    }
}

fn with_window(text: &str, window: &[i64]) -> String {
    if window.is_empty() { text.to_owned() } else { format!("{text} {}", times(window)) }
}

/// `6@28×28` for maps, `120` for features.
pub(super) fn size(shape: &[i64]) -> String {
    match shape {
        [] => "1".to_owned(),
        [features] => features.to_string(),
        [maps, sides @ ..] => format!("{maps}@{}", times(sides)),
    }
}

fn times(sides: &[i64]) -> String {
    sides.iter().map(i64::to_string).collect::<Vec<_>>().join("×")
}

/// Operations that only look at the same numbers in another way.
const VIEWS: [&str; 9] = [
    "flatten",
    "view",
    "reshape",
    "_unsafe_view",
    "squeeze",
    "unsqueeze",
    "contiguous",
    "detach",
    "to",
];

pub(super) fn diagram(input: &Tensor, operations: &[Operation]) -> Diagram {
    let batch = usize::from(has_batch(input, operations));
    let of_one = |shape: &[i64]| shape.get(batch..).unwrap_or_default().to_vec();
    let mut builder = Builder::new(of_one(&input.size()), storage(input));
    let mut last = None;
    for operation in operations {
        let Some((shape, _)) = &operation.output else { continue };
        let shape = of_one(shape);
        if builder.add(operation, shape.clone()) {
            last = Some((operation, shape));
        }
    }
    // A view at the end has no layer behind it that shows what it made.
    if let Some((operation, shape)) = last
        && builder.shape(builder.stages.len()) != shape
    {
        builder.push(operation, shape, vec![builder.stages.len()]);
    }
    Diagram { input: builder.input, stages: builder.stages }
}

/// Whether the first dimension is the batch: libtorch's convolutions and pools also take one
/// image, and its linear layer one vector.
fn has_batch(input: &Tensor, operations: &[Operation]) -> bool {
    let windowed = operations.iter().find(|operation| !operation.window.is_empty());
    match windowed.and_then(|operation| Some((operation, operation.output.as_ref()?))) {
        Some((operation, (shape, _))) => shape.len() > operation.window.len() + 1,
        None => input.dim() > 1,
    }
}

struct Builder {
    input: Vec<i64>,
    stages: Vec<Stage>,
    /// The stage (0 for the input) of what each memory holds. Memory that is freed and taken again
    /// is noted anew; that of parameters is never in here.
    holds: HashMap<usize, usize>,
    names: Names,
}

/// The names of layers with parameters, by their numbers.
#[derive(Default)]
pub(super) struct Names(HashMap<&'static str, usize>);

impl Names {
    /// The name of the next layer, which `operation` computes, where it has parameters: `conv2` for the
    /// second convolution.
    pub(super) fn of(&mut self, operation: &str) -> Option<String> {
        let (Some(name), _) = layer(operation)? else { return None };
        let count = self.0.entry(name).or_default();
        *count += 1;
        Some(format!("{name}{count}"))
    }
}

impl Builder {
    fn new(input: Vec<i64>, storage: Option<usize>) -> Builder {
        let holds = storage.into_iter().map(|storage| (storage, 0)).collect();
        Builder { input, stages: Vec::new(), holds, names: Names::default() }
    }

    fn shape(&self, stage: usize) -> &[i64] {
        stage.checked_sub(1).map_or(&self.input, |index| &self.stages[index].shape)
    }

    /// Whether `operation` has to do with the input. Those that have not, such as a weight's
    /// transposition, are left out.
    fn add(&mut self, operation: &Operation, shape: Vec<i64>) -> bool {
        let inputs = operation.inputs.iter();
        let mut sources: Vec<usize> =
            inputs.filter_map(|[_, storage]| self.holds.get(storage).copied()).collect();
        sources.sort_unstable_by(|a, b| b.cmp(a));
        sources.dedup();
        let Some(&from) = sources.first() else { return false };
        let view = VIEWS.contains(&operation.name.as_str());
        let folded = match layer(&operation.name) {
            Some(_) => false,
            None => shape == self.shape(from) || (view && shape.len() < 2),
        };
        if !folded {
            self.push(operation, shape, sources);
        } else if let Some(stage) = from.checked_sub(1).and_then(|index| self.stages.get_mut(index))
        {
            let joined = sources.iter().skip(1).filter(|source| !stage.joined.contains(source));
            let joined: Vec<usize> = joined.copied().collect();
            stage.joined.extend(joined);
            if !view {
                stage.then.push(words(&operation.name));
            }
        }
        if let Some((_, storage)) = operation.output {
            let stage = if folded { from } else { self.stages.len() };
            self.holds.insert(storage, stage);
        }
        true
    }

    /// A stage of its own, whose values come from `sources`.
    fn push(&mut self, operation: &Operation, shape: Vec<i64>, sources: Vec<usize>) {
        let action = layer(&operation.name).map(|(_, action)| action.to_owned());
        self.stages.push(Stage {
            name: self.names.of(&operation.name).unwrap_or_default(),
            operation: action.unwrap_or_else(|| words(&operation.name)),
            window: operation.window.clone(),
            shape,
            from: sources.first().copied().unwrap_or(0),
            joined: sources.get(1..).unwrap_or_default().to_vec(),
            then: Vec::new(),
        });
    }
}

/// Names of the layers that always are a stage: what they are counted by, if at all, and what they
/// do.
fn layer(operation: &str) -> Option<(Option<&'static str>, &'static str)> {
    const LAYERS: [(&str, Option<&str>, &str); 8] = [
        ("conv_transpose", Some("conv_transpose"), "transposed convolution"),
        ("conv", Some("conv"), "convolution"),
        ("_convolution", Some("conv"), "convolution"),
        ("linear", Some("fc"), "full connection"),
        ("max_pool", None, "max pool"),
        ("avg_pool", None, "average pool"),
        ("adaptive_max_pool", None, "adaptive max pool"),
        ("adaptive_avg_pool", None, "adaptive average pool"),
    ];
    let layer = LAYERS.iter().find(|(start, ..)| operation.starts_with(start));
    layer.map(|(_, name, action)| (*name, *action))
}

fn words(operation: &str) -> String {
    operation.trim_matches('_').replace('_', " ")
}
