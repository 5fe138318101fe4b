//! Counts: how many images of each class were taken for which.

use std::fmt;

use tch::nn::ModuleT;
use tch::{Kind, Tensor, no_grad};

use crate::data::loader::{Batch, DataLoader, gather_rows};
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
/// whatever the number of classes; on all ranks, where the loader shares the images out.
pub(crate) fn accuracy(net: &impl ModuleT, test_loader: &mut DataLoader) -> Result<f64> {
    let epoch = walk(test_loader, |batch| {
        let predicted = net.forward_t(&batch.images, false).f_argmax(1, false)?;
        Ok(vec![predicted.f_eq_tensor(&batch.labels)?])
    })?;
    let right = &epoch[0];
    Ok(right.sum(Kind::Int64).int64_value(&[]) as f64 / right.numel() as f64)
}

/// What `of` gives for each batch of an epoch, tensors with a row for each image: put together, in
/// the order of the epoch, on the loader's device. Where the loader shares the images out, those of
/// all ranks, on all ranks.
pub(super) fn walk(
    test_loader: &mut DataLoader,
    of: impl Fn(&Batch) -> Result<Vec<Tensor>>,
) -> Result<Vec<Tensor>> {
    let watch = Watch::new();
    let sampler = test_loader.options().sampler.clone();
    let sampler = sampler.filter(|sampler| sampler.group.has_others());
    let images = test_loader.image_count();
    let mut columns: Vec<Vec<Tensor>> = Vec::new();
    let result = no_grad(|| {
        let mut batches = test_loader.epoch();
        while let Some(batch) = batches.advance() {
            watch
                .check_during("evaluate", || "the net is as it was, nothing was counted".into())?;
            let tensors = of(&batch)?;
            columns.resize_with(tensors.len(), Vec::new);
            columns.iter_mut().zip(tensors).for_each(|(column, tensor)| column.push(tensor));
        }
        Ok::<(), Error>(())
    });
    match &sampler {
        // An error of one rank is one of all.
        Some(sampler) => {
            sampler.group.gather_results("evaluate", result.map(|()| String::new()))?;
        }
        None => result?,
    }
    let join = |column: &Vec<Tensor>| {
        let own = Tensor::f_cat(column, 0)?;
        sampler
            .as_ref()
            .map_or(Ok(own.shallow_clone()), |sampler| gather_rows(sampler, &own, images))
    };
    columns.iter().map(join).collect()
}
