//! Loss functions: where tch has PyTorch's, and those that say what does not fit.
//!
//! In tch a loss is a method of the output. [`tch::Reduction`] says whether to take the mean or the
//! sum over the elements.
//!
//! | Python (`torch.nn.functional`) | Rust |
//! | --- | --- |
//! | `mse_loss(output, target)` | [`mse_loss`]`(&output, &target)?`, or `output.mse_loss(&target, Reduction::Mean)` |
//! | `l1_loss(output, target)` | `output.l1_loss(&target, Reduction::Mean)` |
//! | `smooth_l1_loss(output, target, beta=1.0)` | `output.smooth_l1_loss(&target, Reduction::Mean, 1.0)` |
//! | `huber_loss(output, target, delta=1.0)` | `output.huber_loss(&target, Reduction::Mean, 1.0)` |
//! | `cross_entropy(logits, classes)` | [`cross_entropy`]`(&logits, &classes)?`, or `logits.cross_entropy_for_logits(&classes)` |
//! | `cross_entropy(logits, classes, label_smoothing=0.1)` | `logits.cross_entropy_loss(&classes, None::<Tensor>, Reduction::Mean, -100, 0.1)` |
//! | `nll_loss(log_probabilities, classes)` | `log_probabilities.nll_loss(&classes)` |
//! | `binary_cross_entropy(probabilities, target)` | `probabilities.binary_cross_entropy(&target, None::<Tensor>, Reduction::Mean)` |
//! | `binary_cross_entropy_with_logits(logits, target)` | `logits.binary_cross_entropy_with_logits(&target, None::<Tensor>, None::<Tensor>, Reduction::Mean)` |
//! | `kl_div(log_probabilities, target, reduction="batchmean")` | `log_probabilities.kl_div(&target, Reduction::Sum, false) / N` |
//! | `poisson_nll_loss(output, target)` | `output.poisson_nll_loss(&target, true, false, 1e-8, Reduction::Mean)` |
//! | `soft_margin_loss(output, target)` | `output.soft_margin_loss(&target, Reduction::Mean)` |
//! | `hinge_embedding_loss(distance, target)` | `distance.hinge_embedding_loss(&target, 1.0, Reduction::Mean)` |
//! | `margin_ranking_loss(a, b, target)` | `Tensor::margin_ranking_loss(&a, &b, &target, 0.0, Reduction::Mean)` |
//! | `cosine_embedding_loss(a, b, target)` | `Tensor::cosine_embedding_loss(&a, &b, &target, 0.0, Reduction::Mean)` |
//! | `triplet_margin_loss(anchor, positive, negative)` | `Tensor::triplet_margin_loss(&anchor, &positive, &negative, 1.0, 2.0, 1e-6, false, Reduction::Mean)` |
//!
//! Classes are `i64`, shape `[N]`, beside logits of shape `[N, classes]`.

use tch::{Reduction, Tensor};

use crate::error::{Error, Result};

/// The mean of `(output - target)²` over all elements, a scalar (`nn.MSELoss()`).
///
/// Both have the same shape. libtorch would stretch `[4]` beside `[4, 1]` to `[4, 4]` without a
/// word, and compare everything with everything; here that is an error.
///
/// ```
/// use blitz::nn::mse_loss;
/// use blitz::tch::Tensor;
///
/// let guess = Tensor::from_slice(&[1f32, 2.0, 4.0]);
/// let truth = Tensor::from_slice(&[1f32, 4.0, 1.0]);
/// assert!((mse_loss(&guess, &truth)?.double_value(&[]) - 13.0 / 3.0).abs() < 1e-6);
/// assert!(mse_loss(&guess, &truth.view((3, 1))).is_err());
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Shape`] where the shapes differ, [`Error::Torch`] where libtorch refuses, as for
/// integers.
pub fn mse_loss(output: &Tensor, target: &Tensor) -> Result<Tensor> {
    if output.size() != target.size() {
        return Err(Error::Shape {
            operation: "mse_loss",
            expected: format!("a target of the output's shape {:?}", output.size()),
            got: format!("{:?}", target.size()),
        });
    }
    output.f_mse_loss(target, Reduction::Mean).map_err(Error::torch("the mean squared error"))
}

/// The mean of `-log softmax(logits)[label]` over the batch (`nn.CrossEntropyLoss()`), a scalar.
///
/// `logits` is f32 `[N, classes]` and `labels` i64 `[N]`. Neither is modified.
///
/// # Errors
///
/// [`Error::Torch`] where the two do not fit.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let no_weight: Option<Tensor> = None;
    let ignore_index = -100; // PyTorch's default: no label is ignored
    logits
        .f_cross_entropy_loss(labels, no_weight, Reduction::Mean, ignore_index, 0.0)
        .map_err(Error::torch("the cross-entropy of the net's logits and the labels"))
}
