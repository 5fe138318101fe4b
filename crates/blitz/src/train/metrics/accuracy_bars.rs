//! The accuracy for each class, as bars.

use super::Evaluation;
use crate::error::Result;
use crate::picture::Picture;
use crate::picture::bars::{self, Bar, percent};

impl Evaluation {
    /// A bar for each class, as long as its accuracy, and a line at the accuracy over all classes.
    ///
    /// # Errors
    ///
    /// [`Error::Option`](crate::Error::Option) for an evaluation without images or with other counts
    /// than one for each pair of classes, [`Error::Draw`](crate::Error::Draw) where drawing fails.
    pub fn accuracy_bars(&self) -> Result<Picture> {
        self.check()?;
        let mut rows = Vec::new();
        for (class, name) in self.classes.iter().enumerate() {
            let share = self.class_accuracy(class);
            let label = share.map_or_else(|| "no image".to_owned(), percent);
            rows.push(Bar { name, share, label });
        }
        bars::draw(&title(self), &rows, Some(self.accuracy()), alt(self))
    }
}

fn title(evaluation: &Evaluation) -> String {
    let (accuracy, total) = (percent(evaluation.accuracy()), evaluation.total());
    format!("Accuracy by class; the line is all {total} images: {accuracy}")
}

fn alt(evaluation: &Evaluation) -> String {
    let bar = |(class, name): (usize, &String)| match evaluation.class_accuracy(class) {
        Some(accuracy) => format!("{name} {}", percent(accuracy)),
        None => format!("{name} without an image"),
    };
    let bars: Vec<String> = evaluation.classes.iter().enumerate().map(bar).collect();
    format!("{}. {}.", title(evaluation), bars.join(", "))
}
