//! What a net says of each image.

use tch::nn::ModuleT;
use tch::{Device, Kind, Tensor};

use super::evaluation::{Evaluation, walk};
use crate::data::loader::{Batch, DataLoader};
use crate::data::split::Split;
use crate::error::{Error, Result};
use crate::picture::Picture;
use crate::picture::prediction_grid::{PredictionGridOptions, prediction_grid};

/// What a net says of each image of a loader's epoch, in the order of the epoch.
#[derive(Debug)]
pub struct Predictions {
    /// Names of the classes, by label.
    pub classes: Vec<String>,
    /// i64 `[N]` on the CPU: what the images are.
    pub labels: Tensor,
    /// i64 `[N]` on the CPU: the class of the largest probability.
    pub predicted: Tensor,
    /// f32 `[N, classes]` on the CPU: the softmax of the logits; each row adds up to 1.
    pub probabilities: Tensor,
}

/// An image taken for something else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mistake {
    /// Place in the order of the epoch: with [`Order::Sequential`](crate::data::loader::Order), the
    /// index of the image in its split.
    pub index: usize,
    /// What it is.
    pub label: usize,
    /// What the net took it for.
    pub predicted: usize,
    /// The net's probability for what it took it for, 0 to 1.
    pub probability: f64,
    /// The net's probability for what it is, 0 to 1.
    pub label_probability: f64,
}

/// Lets `net` classify one epoch of `test_loader`, without gradients and as in `net.eval()`:
/// dropout and batch normalisation behave as after training. Where the loader shares the images out
/// among processes, each classifies its part, and all get the whole.
///
/// `classes` names the labels: [`crate::data::cifar10::CLASSES`], or the classes of an
/// [`ImageFolder`](crate::data::image_folder::ImageFolder). The net and the loader are on the
/// same device, whichever it is.
///
/// # Errors
///
/// [`Error::Shape`] where the net's output is not `[N, classes.len()]` and where a label has no
/// class, [`Error::Interrupted`] where the person asked to stop.
///
/// # Panics
///
/// Where the net itself does, given images that it was not made for.
pub fn predict(
    net: &impl ModuleT,
    test_loader: &mut DataLoader,
    classes: &[impl AsRef<str>],
) -> Result<Predictions> {
    // They stay on the device, so that a GPU need not stop after each batch.
    let columns = walk(test_loader, |batch| {
        Ok(vec![batch.labels.shallow_clone(), classify(net, batch, classes.len() as i64)?])
    })?;
    let labels = columns[0].f_to_device(Device::Cpu)?;
    let logits = columns[1].f_to_device(Device::Cpu)?;
    check_labels(&labels, classes.len())?;
    Ok(Predictions {
        classes: classes.iter().map(|name| name.as_ref().to_owned()).collect(),
        labels,
        predicted: logits.f_argmax(1, false)?, // [N, classes] -> [N]
        probabilities: logits.f_softmax(1, Kind::Float)?,
    })
}

/// Lets `net` classify one epoch of `test_loader` and counts per class: [`predict`], of which only
/// the counts are kept.
///
/// # Errors
///
/// As [`predict`].
///
/// # Panics
///
/// As [`predict`].
pub fn evaluate(
    net: &impl ModuleT,
    test_loader: &mut DataLoader,
    classes: &[impl AsRef<str>],
) -> Result<Evaluation> {
    Ok(predict(net, test_loader, classes)?.evaluation())
}

impl Predictions {
    /// The counts, which print themselves as the tutorial does.
    pub fn evaluation(&self) -> Evaluation {
        let classes = self.classes.len();
        let mut confusion = vec![vec![0; classes]; classes];
        for (label, predicted) in integers(&self.labels).zip(integers(&self.predicted)) {
            confusion[label][predicted] += 1;
        }
        Evaluation { classes: self.classes.clone(), confusion }
    }

    /// The `count` mistakes of which the net was surest, surest first; fewer where there are
    /// fewer. Where it was as sure of two, the one of the smaller index is first.
    pub fn most_confident_mistakes(&self, count: usize) -> Vec<Mistake> {
        let probability = |index: usize, class: usize| {
            self.probabilities.double_value(&[index as i64, class as i64])
        };
        let pairs = integers(&self.labels).zip(integers(&self.predicted)).enumerate();
        let wrong = pairs.filter(|(_, (label, predicted))| label != predicted);
        let mut mistakes: Vec<Mistake> = wrong
            .map(|(index, (label, predicted))| Mistake {
                index,
                label,
                predicted,
                probability: probability(index, predicted),
                label_probability: probability(index, label),
            })
            .collect();
        // A stable sort keeps the order of the indices.
        mistakes.sort_by(|one, other| other.probability.total_cmp(&one.probability));
        mistakes.truncate(count);
        mistakes
    }

    /// The pictures of [`Predictions::most_confident_mistakes`] as a
    /// [`prediction_grid`](mod@crate::picture::prediction_grid): each with what the net took it for and how
    /// surely, and what it is. `split` is what the loader went through, in its order
    /// ([`Order::Sequential`](crate::data::loader::Order)).
    ///
    /// # Errors
    ///
    /// [`Error::Option`] where there is no mistake or `count` is 0, [`Error::Shape`] where `split`
    /// has other labels than were predicted, [`Error::Draw`] where drawing fails.
    pub fn mistake_grid(&self, split: &Split, count: usize) -> Result<Picture> {
        if !split.labels.to_device(Device::Cpu).equal(&self.labels) {
            return Err(Error::Shape {
                operation: "mistake_grid",
                expected: "the split that was predicted, in its order".to_owned(),
                got: "one with other labels (was the loader shuffled?)".to_owned(),
            });
        }
        let mistakes = self.most_confident_mistakes(count);
        if mistakes.is_empty() {
            return Err(Error::option(
                "count",
                "at least 1, of predictions with a mistake",
                format!("{count}, and {} mistakes", self.most_confident_mistakes(1).len()),
            ));
        }
        let indices: Vec<i64> = mistakes.iter().map(|mistake| mistake.index as i64).collect();
        let indices = Tensor::from_slice(&indices);
        let images = split.images.f_index_select(0, &indices.to_device(split.images.device()))?;
        // The logarithm of a softmax has that softmax, and must be finite.
        let logits = self.probabilities.f_index_select(0, &indices)?.f_clamp_min(1e-30)?.f_log()?;
        let labels = self.labels.f_index_select(0, &indices)?;
        let options = PredictionGridOptions { count: mistakes.len(), ..Default::default() };
        Ok(prediction_grid(&images, &logits, &labels, &self.classes, options)?.picture)
    }
}

/// The logits of a batch, `[N, count]`.
fn classify(net: &impl ModuleT, batch: &Batch, count: i64) -> Result<Tensor> {
    let logits = net.forward_t(&batch.images, false);
    let expected = [batch.labels.numel() as i64, count];
    if logits.size() != expected {
        return Err(Error::Shape {
            operation: "evaluate",
            expected: format!("logits of shape {expected:?}, a column per class name"),
            got: format!("{:?}", logits.size()),
        });
    }
    Ok(logits)
}

fn check_labels(labels: &Tensor, classes: usize) -> Result<()> {
    let unknown = Vec::<i64>::try_from(labels)?
        .into_iter()
        .find(|label| usize::try_from(*label).map_or(true, |label| label >= classes));
    match unknown {
        None => Ok(()),
        Some(label) => Err(Error::Shape {
            operation: "evaluate",
            expected: format!("labels below {classes}, one per class name"),
            got: format!("the label {label}"),
        }),
    }
}

/// The elements of a one-dimensional tensor of class indices on the CPU.
fn integers(tensor: &Tensor) -> impl Iterator<Item = usize> {
    let values: Vec<i64> = Vec::try_from(tensor).expect("class indices are i64 [N]");
    values.into_iter().map(|value| value as usize)
}
