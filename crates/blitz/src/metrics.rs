//! How good a net is: accuracy over all classes and for each.

use std::fmt;

use tch::nn::Module;
use tch::{Kind, Tensor, no_grad};

use crate::error::{Error, Result};
use crate::interrupt::Watch;
use crate::loader::DataLoader;

/// The counts of an evaluation. It prints itself as the tutorial does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// Names of the classes, by label.
    pub classes: Vec<String>,
    /// `confusion[label][prediction]`: how many images of class `label` were taken for
    /// `prediction`.
    pub confusion: Vec<Vec<u64>>,
}

impl Evaluation {
    /// Images taken for what they are.
    pub fn correct(&self) -> u64 {
        (0..self.classes.len()).map(|class| self.confusion[class][class]).sum()
    }

    /// Images looked at.
    pub fn total(&self) -> u64 {
        self.confusion.iter().flatten().sum()
    }

    /// Share of the images taken for what they are, 0 to 1.
    pub fn accuracy(&self) -> f64 {
        self.correct() as f64 / self.total() as f64
    }

    /// Share of the images of `class` taken for what they are, 0 to 1; `None` where there is no
    /// such class or no image of it.
    pub fn class_accuracy(&self, class: usize) -> Option<f64> {
        let row = self.confusion.get(class)?;
        let total: u64 = row.iter().sum();
        (total > 0).then(|| row[class] as f64 / total as f64)
    }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The tutorial cuts the decimals off.
        let percent = self.correct() * 100 / self.total().max(1);
        writeln!(f, "Accuracy of the network on the {} test images: {percent} %", self.total())?;
        for (class, name) in self.classes.iter().enumerate() {
            match self.class_accuracy(class) {
                Some(accuracy) => {
                    writeln!(f, "Accuracy for class: {name:5} is {:.1} %", accuracy * 100.0)?
                }
                None => writeln!(f, "Accuracy for class: {name:5} is unknown, no image")?,
            }
        }
        Ok(())
    }
}

/// Lets `net` classify one epoch of `test_loader`, without gradients, and counts per class.
///
/// `classes` names the labels: [`crate::cifar10::CLASSES`]. The net and the loader are on the
/// same device, whichever it is.
///
/// # Errors
///
/// [`Error::Shape`] where the net's output is not `[N, classes.len()]`, [`Error::Interrupted`] where
/// the person asked to stop.
///
/// # Panics
///
/// Where the net itself does, given images that it was not made for.
pub fn evaluate(
    net: &impl Module,
    test_loader: &mut DataLoader,
    classes: &[&str],
) -> Result<Evaluation> {
    let count = classes.len() as i64;
    // [classes * classes]: pair (label, prediction) is entry label * classes + prediction. It
    // stays on the device, so that a GPU need not stop after each batch.
    let mut pairs = Tensor::zeros([count * count], (Kind::Int64, test_loader.device()));
    let watch = Watch::new();
    no_grad(|| {
        let mut batches = test_loader.epoch();
        while let Some(batch) = batches.advance() {
            watch
                .check_during("evaluate", || "the net is as it was, nothing was counted".into())?;
            let logits = net.forward(&batch.images);
            let expected = [batch.labels.numel() as i64, count];
            if logits.size() != expected {
                return Err(Error::Shape {
                    operation: "evaluate",
                    expected: format!("logits of shape {expected:?}, a column per class name"),
                    got: format!("{:?}", logits.size()),
                });
            }
            let predictions = logits.argmax(1, false); // [N, classes] -> [N]
            pairs += (batch.labels * count + predictions).bincount::<Tensor>(None, count * count);
        }
        Ok(())
    })?;
    let pairs: Vec<i64> = Vec::try_from(&pairs)?;
    let confusion =
        pairs.chunks(classes.len().max(1)).map(|row| row.iter().map(|n| *n as u64).collect());
    Ok(Evaluation {
        classes: classes.iter().map(|name| (*name).to_owned()).collect(),
        confusion: confusion.collect(),
    })
}
