//! How errors are made: most of them in a `map_err`.

use std::path::Path;

use tch::TchError;

use super::Error;
use super::peer_text::{told_in_backward, without_place};
use super::torch_text::first_sentence;

impl Error {
    /// For `map_err`: names the file operation that failed.
    pub(crate) fn io(operation: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        move |source| Error::Io { operation, path: path.to_owned(), source }
    }

    /// An option that makes no sense: its name, which values do, and the one that was found.
    pub(crate) fn option(
        option: &'static str,
        expected: impl Into<String>,
        got: impl ToString,
    ) -> Error {
        Error::Option { option, expected: expected.into(), got: got.to_string() }
    }

    /// For `map_err`: names the tensor operation that failed.
    pub(crate) fn torch(operation: &'static str) -> impl FnOnce(TchError) -> Error {
        move |error| {
            let text = match error {
                TchError::Torch(message) => message,
                other => other.to_string(),
            };
            Error::refused(operation, &text)
        }
    }

    /// libtorch refused `operation` with the message `text`, or passes on the message of Rust code
    /// that it called.
    pub(crate) fn refused(operation: &'static str, text: &str) -> Error {
        if let Some(error) = backward_failure(text) {
            return error;
        }
        let message = match text.starts_with("Trying to backward through the graph a second time") {
            true => FREED_GRAPH.to_owned(),
            false => first_sentence(without_place(text)),
        };
        let message = match operation {
            "the backward pass" => told_in_backward(message),
            _ => message,
        };
        Error::Torch { operation, message }
    }
}

/// In place of a message that speaks of Python's keyword arguments.
const FREED_GRAPH: &str = "an earlier backward pass has freed the graph; run the forward pass \
    again, or keep the graph in the earlier pass (retain_graph: Some(true))";

/// The inverse of how `Error::Backward` prints. libtorch carries it as text, whole.
fn backward_failure(text: &str) -> Option<Error> {
    let (place, message) = text.split_once(" failed: ")?;
    let is_function = place.ends_with("Backward") && !place.contains(char::is_whitespace);
    let ours = is_function || place == "a gradient hook";
    ours.then(|| Error::Backward { place: place.to_owned(), message: message.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_sentence_of_libtorch_is_kept() {
        let raw = "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5). More advice.\n\
                   Exception raised from meta at ../x.cpp:1 (most recent call first):\nframe #0";
        let error = Error::torch("the product")(TchError::Torch(raw.to_owned()));
        assert_eq!(
            error.to_string(),
            "libtorch refused the product: mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"
        );
        assert_eq!(format!("{error:?}"), error.to_string());
    }

    #[test]
    fn a_real_tensor_error_carries_no_stack_trace() {
        let a = tch::Tensor::zeros([2, 3], (tch::Kind::Float, tch::Device::Cpu));
        let error = Error::from(a.f_matmul(&a).unwrap_err()).to_string();
        assert!(error.contains("(2x3 and 2x3)"), "{error}");
        assert!(!error.contains("frame") && !error.contains('\n'), "{error}");
    }
}
