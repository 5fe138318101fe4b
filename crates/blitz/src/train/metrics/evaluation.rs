//! Counts: how many images of each class were taken for which.

use std::fmt;

use tch::nn::ModuleT;
use tch::{Kind, Tensor, no_grad};

use crate::data::loader::DataLoader;
use crate::display::interrupt::Watch;
use crate::error::{Error, Result};

/// The most images whose counts are still exact as f64.
const MOST_IMAGES: u64 = 1_000_000_000_000_000;

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
    /// Whether pictures can be drawn of this: each class has a row of as many counts, and there are
    /// images.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] where not.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |expected: &str, got: String| Err(Error::option("evaluation", expected, got));
        let classes = self.classes.len();
        if self.confusion.len() != classes || self.confusion.iter().any(|row| row.len() != classes)
        {
            let rows: Vec<usize> = self.confusion.iter().map(Vec::len).collect();
            let got = format!("{classes} classes and rows of {rows:?} counts");
            return wrong("a row for each class, with a count for each class", got);
        }
        let counts = self.confusion.iter().flatten();
        match counts.copied().try_fold(0u64, |sum, count| sum.checked_add(count)) {
            Some(0) => wrong("one of at least 1 image", "none".to_owned()),
            Some(1..=MOST_IMAGES) => Ok(()),
            Some(_) | None => wrong("one of at most 1e15 images", "more".to_owned()),
        }
    }

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
        let percent = u128::from(self.correct()) * 100 / u128::from(self.total().max(1));
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

/// Share of the images of one epoch of `test_loader` that `net` takes for what they are, 0 to 1,
/// whatever the number of classes.
pub(crate) fn accuracy(net: &impl ModuleT, test_loader: &mut DataLoader) -> Result<f64> {
    let watch = Watch::new();
    let mut correct = Tensor::zeros([], (Kind::Int64, test_loader.device()));
    let mut total = 0;
    no_grad(|| {
        let mut batches = test_loader.epoch();
        while let Some(batch) = batches.advance() {
            watch.check_during("evaluate", || "the net is as it was".to_owned())?;
            let predicted = net.forward_t(&batch.images, false).f_argmax(1, false)?;
            let right = predicted.f_eq_tensor(&batch.labels)?.f_sum(Kind::Int64)?;
            correct = correct.f_add(&right)?;
            total += batch.labels.numel();
        }
        Ok::<(), Error>(())
    })?;
    Ok(correct.int64_value(&[]) as f64 / total as f64)
}
