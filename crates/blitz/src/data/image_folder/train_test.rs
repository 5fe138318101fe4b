//! Pictures to learn from, and others to measure on.

use std::path::PathBuf;

use tch::{Kind, Tensor};

use super::ImageFolder;
use crate::data::split::Split;
use crate::error::{Error, Result};
use crate::tensor::random::PyTorchGenerator;

/// Two parts of an [`ImageFolder`], as `Cifar10` has them. No picture is in both.
#[derive(Debug)]
pub struct TrainTest {
    /// To learn from.
    pub train: Split,
    /// To measure on.
    pub test: Split,
    /// The files of `train`.
    pub train_paths: Vec<PathBuf>,
    /// The files of `test`.
    pub test_paths: Vec<PathBuf>,
}

impl ImageFolder {
    /// Puts `test_fraction` of the pictures of each class, chosen by `seed`, aside to measure on: of
    /// each class at least one and never all. The only picture of a class is one to learn from. The
    /// pictures stay in their order and are copied.
    ///
    /// That is stratified, so that a rare class is in both parts (scikit-learn's
    /// `train_test_split(stratify=labels)`). Two files with the same picture are two pictures here:
    /// copies may come to lie in both parts.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] for a fraction that is not between 0 and 1, and where no class has a second
    /// picture.
    pub fn split(&self, test_fraction: f64, seed: u64) -> Result<TrainTest> {
        if !(test_fraction > 0.0 && test_fraction < 1.0) {
            let expected = "more than 0 and less than 1, such as 0.2 for a fifth of the pictures";
            return Err(Error::option("test_fraction", expected, test_fraction));
        }
        let is_test = self.choose(test_fraction, seed)?;
        if !is_test.contains(&true) {
            let expected = "a part of classes with 2 or more pictures";
            let got = format!("{test_fraction} of {} classes with one each", self.classes.len());
            return Err(Error::option("test_fraction", expected, got));
        }
        let part = |wanted: bool| -> Result<(Split, Vec<PathBuf>)> {
            let chosen: Vec<usize> =
                (0..self.len()).filter(|index| is_test[*index] == wanted).collect();
            let indices: Vec<i64> = chosen.iter().map(|index| *index as i64).collect();
            let indices = Tensor::from_slice(&indices);
            let images = self.all.images.f_index_select(0, &indices)?;
            let labels = self.all.labels.f_index_select(0, &indices)?;
            let paths = chosen.into_iter().map(|index| self.paths[index].clone()).collect();
            Ok((Split { images, labels }, paths))
        };
        let ((train, train_paths), (test, test_paths)) = (part(false)?, part(true)?);
        Ok(TrainTest { train, test, train_paths, test_paths })
    }

    /// Whether each picture is one to measure on.
    fn choose(&self, test_fraction: f64, seed: u64) -> Result<Vec<bool>> {
        let labels = Vec::<i64>::try_from(&self.all.labels.to_kind(Kind::Int64))?;
        let mut random = PyTorchGenerator::manual_seed(seed);
        let mut is_test = vec![false; labels.len()];
        for class in 0..self.classes.len() as i64 {
            let own: Vec<usize> =
                (0..labels.len()).filter(|index| labels[*index] == class).collect();
            let order = random.randperm(own.len());
            if own.len() < 2 {
                continue;
            }
            let wanted = (test_fraction * own.len() as f64).round() as usize;
            let wanted = wanted.clamp(1, own.len() - 1);
            for place in &order[..wanted] {
                is_test[own[*place as usize]] = true;
            }
        }
        Ok(is_test)
    }
}
