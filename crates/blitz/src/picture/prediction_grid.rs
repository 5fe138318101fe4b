//! What a net says about pictures, beside what they are: right in green, wrong in red.

use plotters::style::RGBColor;
use tch::{Device, Kind, Tensor};

use crate::display::{Bundle, Show};
use crate::error::{Error, Result};
use crate::picture::Picture;
use crate::picture::image_grid::{self, ImageGridOptions, Label};

/// Dark enough for small letters on white; the words differ too, for who cannot tell the two apart.
const GREEN: RGBColor = RGBColor(0, 115, 60);
const RED: RGBColor = RGBColor(200, 20, 30);
const OPERATION: &str = "prediction_grid";

/// How a [`prediction_grid`] looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictionGridOptions {
    /// Pictures to draw, the first of the batch, at least 1; 8, or all where there are fewer.
    pub count: usize,
    /// Size, columns and normalisation; with 4 columns.
    pub grid: ImageGridOptions,
}

impl Default for PredictionGridOptions {
    fn default() -> PredictionGridOptions {
        let grid = ImageGridOptions { columns: 4, ..ImageGridOptions::default() };
        PredictionGridOptions { count: 8, grid }
    }
}

/// What the net says about one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// The class it is.
    pub label: usize,
    /// The class with the largest logit.
    pub predicted: usize,
    /// The probability that the net gives the predicted class, 0 to 1: softmax of its logit.
    pub probability: f64,
}

impl Prediction {
    /// Whether the predicted class is the right one.
    pub fn is_right(&self) -> bool {
        self.label == self.predicted
    }
}

/// Pictures with predictions: shows itself as a cell's last expression, and holds the values.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictionGrid {
    /// One for each picture drawn, in their order.
    pub predictions: Vec<Prediction>,
    /// The drawing.
    pub picture: Picture,
}

impl PredictionGrid {
    /// How many of the predictions are right.
    pub fn right(&self) -> usize {
        self.predictions.iter().filter(|prediction| prediction.is_right()).count()
    }

    /// Shows the picture now: [`Picture::show`].
    pub fn show(&self) {
        self.picture.show();
    }

    /// What evcxr calls when the grid is the last expression of a cell.
    pub fn evcxr_display(&self) {
        self.picture.evcxr_display();
    }
}

impl Show for PredictionGrid {
    fn bundle(&self) -> Bundle {
        self.picture.bundle()
    }
}

/// Draws the first `options.count` of `images` with what the net's `logits` say: `cat 83 %` in
/// green where that is right, `dog? 61 % (is cat)` in red where it is not.
///
/// `images` is `[N, 3, H, W]` or grey `[N, 1, H, W]`, u8 or f32 normalised with
/// `options.grid.transform`; `logits` is floating-point `[N, C]` before softmax; `labels` is i64
/// `[N]`; `classes` has the C names. All on any device, and not modified.
///
/// ```
/// use blitz::prelude::*;
///
/// let images = Tensor::zeros([2, 3, 8, 8], (Kind::Uint8, Device::Cpu));
/// let logits = Tensor::from_slice2(&[[3.0, 1.0], [0.5, 0.0]]);
/// let labels = Tensor::from_slice(&[0i64, 1]);
/// let grid = prediction_grid(&images, &logits, &labels, &["cat", "dog"], Default::default())?;
/// assert_eq!(grid.right(), 1);
/// assert!(grid.picture.alt().ends_with("cat 88 %, right; cat? 62 % (is dog), wrong."));
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Shape`] where the shapes or kinds are others, for no picture, for no class, for a label
/// that is not an index into `classes`, and for logits that are not finite; [`Error::Option`] for
/// a `count`, `columns`, `scale` or `font_size` of 0.
pub fn prediction_grid(
    images: &Tensor,
    logits: &Tensor,
    labels: &Tensor,
    classes: &[impl AsRef<str>],
    options: PredictionGridOptions,
) -> Result<PredictionGrid> {
    check(images, logits, labels, classes.len(), &options)?;
    let count = images.size()[0].min(i64::try_from(options.count).unwrap_or(i64::MAX));
    let first = |tensor: &Tensor| tensor.narrow(0, 0, count);
    let predictions = predict(&first(logits), &first(labels), classes.len())?;
    let words: Vec<String> = predictions.iter().map(|one| words(one, classes)).collect();
    let lettered: Vec<Label> = words.iter().zip(&predictions).map(label).collect();
    let picture =
        image_grid::draw(OPERATION, &first(images), &lettered, &options.grid, |layout| {
            alt(layout, &predictions, &words)
        })?;
    Ok(PredictionGrid { predictions, picture })
}

/// `logits` `[N, C]` and `labels` `[N]` as numbers.
fn predict(logits: &Tensor, labels: &Tensor, classes: usize) -> Result<Vec<Prediction>> {
    let logits = logits.detach().to_device(Device::Cpu).to_kind(Kind::Double);
    let (probabilities, predicted) = logits.softmax(1, Kind::Double).max_dim(1, false);
    let probabilities = Vec::<f64>::try_from(&probabilities)?;
    let predicted = Vec::<i64>::try_from(&predicted)?;
    let labels = Vec::<i64>::try_from(&labels.to_device(Device::Cpu))?;
    let mut predictions = Vec::with_capacity(labels.len());
    for (index, label) in labels.into_iter().enumerate() {
        if !(0..classes as i64).contains(&label) {
            let expected = format!("labels from 0 to {}, one class each", classes - 1);
            return Err(wrong(expected, format!("label {label} for picture {index}")));
        }
        if !probabilities[index].is_finite() {
            let expected = "finite logits".to_owned();
            let got = format!(
                "NaN or infinite ones for picture {index}; a training with too large a lr leaves such a net"
            );
            return Err(wrong(expected, got));
        }
        predictions.push(Prediction {
            label: label as usize,
            predicted: predicted[index] as usize,
            probability: probabilities[index],
        });
    }
    Ok(predictions)
}

fn words(prediction: &Prediction, classes: &[impl AsRef<str>]) -> String {
    let predicted = classes[prediction.predicted].as_ref();
    let percent = 100.0 * prediction.probability;
    match prediction.is_right() {
        true => format!("{predicted} {percent:.0} %"),
        false => {
            let truth = classes[prediction.label].as_ref();
            format!("{predicted}? {percent:.0} % (is {truth})") // Not translated: lettered
        }
    }
}

fn label<'a>((words, prediction): (&'a String, &Prediction)) -> Label<'a> {
    Label { text: words, colour: if prediction.is_right() { GREEN } else { RED } }
}

fn alt(layout: &str, predictions: &[Prediction], words: &[String]) -> String {
    let right = predictions.iter().filter(|prediction| prediction.is_right()).count();
    let judged: Vec<String> = words
        .iter()
        .zip(predictions)
        .map(|(words, one)| format!("{words}, {}", if one.is_right() { "right" } else { "wrong" }))
        .collect();
    format!(
        // Not translated: text for a screen reader, as the picture's;
        "{layout} with the net's predictions, {right} of {} right. Row by row: {}.",
        predictions.len(),
        judged.join("; ")
    )
}

fn wrong(expected: String, got: String) -> Error {
    Error::Shape { operation: OPERATION, expected, got }
}

fn check(
    images: &Tensor,
    logits: &Tensor,
    labels: &Tensor,
    classes: usize,
    options: &PredictionGridOptions,
) -> Result<()> {
    if options.count == 0 {
        return Err(Error::option("count", "at least 1", 0));
    }
    if classes == 0 {
        return Err(wrong("the name of each class".to_owned(), "an empty list".to_owned()));
    }
    if [images, logits, labels].iter().any(|tensor| !tensor.defined()) {
        let expected = "pictures, logits and labels".to_owned();
        return Err(wrong(expected, "an undefined tensor".to_owned()));
    }
    let Some(count) = images.size().first().copied().filter(|count| *count > 0) else {
        let expected = "at least one picture, in shape [N, C, H, W]".to_owned();
        return Err(wrong(expected, format!("{:?}", images.size())));
    };
    let float = matches!(logits.kind(), Kind::Half | Kind::BFloat16 | Kind::Float | Kind::Double);
    if logits.size() != [count, classes as i64] || !float {
        return Err(wrong(
            format!("floating-point logits of shape [{count}, {classes}]: pictures, classes"),
            format!("{:?} logits of shape {:?}", logits.kind(), logits.size()),
        ));
    }
    if labels.size() != [count] || labels.kind() != Kind::Int64 {
        return Err(wrong(
            format!("i64 labels of shape [{count}], one per picture"),
            format!("{:?} labels of shape {:?}", labels.kind(), labels.size()),
        ));
    }
    Ok(())
}
