//! Which layer an operation belongs to: that whose parameters it uses.

use std::collections::HashMap;

use tch::Tensor;

use super::record::Operation;
use super::row::SummaryRow;
use crate::nn::parameters::{identity, storage};

pub(in crate::nn) struct Tracer {
    parameters: Vec<Parameter>,
    /// Index of the parameter that is this tensor.
    by_identity: HashMap<usize, usize>,
    /// Index of the first parameter that has this memory, for views such as a transposed weight.
    by_storage: HashMap<usize, usize>,
}

struct Parameter {
    name: String,
    count: usize,
    used: bool,
}

impl Tracer {
    /// `parameters` outlive what is traced, so that no other tensor has their identities.
    pub fn new(parameters: Vec<(String, Tensor)>) -> Tracer {
        let mut tracer = Tracer {
            parameters: Vec::new(),
            by_identity: HashMap::new(),
            by_storage: HashMap::new(),
        };
        for (index, (name, tensor)) in parameters.into_iter().enumerate() {
            tracer.by_identity.insert(identity(&tensor), index);
            if let Some(storage) = storage(&tensor) {
                tracer.by_storage.entry(storage).or_insert(index);
            }
            tracer.parameters.push(Parameter { name, count: tensor.numel(), used: false });
        }
        tracer
    }

    /// The row for `operation`; `None` where it has no output, or only looks at a parameter in
    /// another way, as a transposition.
    pub fn row(&mut self, operation: &Operation) -> Option<SummaryRow> {
        let (shape, output) = operation.output.as_ref()?;
        let used = self.parameters_of(operation);
        let only_parameters = !used.is_empty() && used.len() == operation.inputs.len();
        if only_parameters && self.by_storage.contains_key(output) {
            return None;
        }
        let (name, kind) = self.label(operation);
        let mut count = 0;
        for index in used {
            let parameter = &mut self.parameters[index];
            if !parameter.used {
                count += parameter.count;
                parameter.used = true;
            }
        }
        Some(SummaryRow { name, kind, output: shape.clone(), parameters: count })
    }

    /// The layer's name, and its type or the operation.
    pub fn label(&self, operation: &Operation) -> (String, String) {
        let Some(&first) = self.parameters_of(operation).first() else {
            return (String::new(), operation.name.clone());
        };
        let name = &self.parameters[first].name;
        let layer = name.rsplit_once('.').map_or(name.as_str(), |(layer, _)| layer);
        let rank = operation.output.as_ref().map(|(shape, _)| shape.len());
        (layer.to_owned(), layer_type(&operation.name, rank))
    }

    /// The names of the parameters that no row has counted.
    pub fn unused(&self) -> Vec<String> {
        let unused = self.parameters.iter().filter(|parameter| !parameter.used);
        unused.map(|parameter| parameter.name.clone()).collect()
    }

    fn parameters_of(&self, operation: &Operation) -> Vec<usize> {
        let parameter = |[tensor, storage]: &[usize; 2]| {
            self.by_identity.get(tensor).or_else(|| self.by_storage.get(storage)).copied()
        };
        operation.inputs.iter().filter_map(parameter).collect()
    }
}

/// PyTorch's name for the layer that runs `operation` with parameters.
fn layer_type(operation: &str, rank: Option<usize>) -> String {
    let name = match (operation, rank) {
        ("conv1d", _) => "Conv1d",
        ("conv2d", _) => "Conv2d",
        ("conv3d", _) => "Conv3d",
        ("conv_transpose1d", _) => "ConvTranspose1d",
        ("conv_transpose2d", _) => "ConvTranspose2d",
        ("conv_transpose3d", _) => "ConvTranspose3d",
        ("linear", _) => "Linear",
        ("batch_norm", Some(2 | 3)) => "BatchNorm1d",
        ("batch_norm", Some(4)) => "BatchNorm2d",
        ("batch_norm", Some(5)) => "BatchNorm3d",
        ("layer_norm", _) => "LayerNorm",
        ("group_norm", _) => "GroupNorm",
        ("embedding", _) => "Embedding",
        ("lstm", _) => "LSTM",
        ("gru", _) => "GRU",
        ("prelu", _) => "PReLU",
        _ => operation,
    };
    name.to_owned()
}
