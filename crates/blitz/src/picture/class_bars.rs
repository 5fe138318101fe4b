//! The likeliest classes of one picture, as bars.

use tch::{Device, Kind, Tensor};

use crate::display::{Bundle, Show};
use crate::error::{Error, Result};
use crate::picture::Picture;
use crate::picture::bars::{self, Bar, percent};

const OPERATION: &str = "class_bars";

/// How [`class_bars`] look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassBarsOptions {
    /// Classes to draw, the likeliest first, at least 1; 5, or all where there are fewer.
    pub count: usize,
    /// What stands above them; `The likeliest classes`.
    pub title: String,
}

impl Default for ClassBarsOptions {
    fn default() -> ClassBarsOptions {
        let title = "The likeliest classes".to_owned(); // Not translated: the font has no other letters
        ClassBarsOptions { count: 5, title }
    }
}

/// A class and the probability that a net gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassProbability {
    /// The label.
    pub class: usize,
    /// Its name.
    pub name: String,
    /// 0 to 1.
    pub probability: f64,
}

/// The likeliest classes: shows itself as a cell's last expression, and holds the values.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassBars {
    /// The likeliest first; of two as likely, that of the smaller label.
    pub likeliest: Vec<ClassProbability>,
    /// The drawing.
    pub picture: Picture,
}

impl ClassBars {
    /// Shows the picture now: [`Picture::show`].
    pub fn show(&self) {
        self.picture.show();
    }

    /// What evcxr calls when the bars are the last expression of a cell.
    pub fn evcxr_display(&self) {
        self.picture.evcxr_display();
    }
}

impl Show for ClassBars {
    fn bundle(&self) -> Bundle {
        self.picture.bundle()
    }
}

/// Draws the classes that a net finds likeliest for one picture: a bar each, as long as the softmax of
/// its logit.
///
/// `logits` is floating-point `[C]` or `[1, C]` before softmax, on any device, and not modified;
/// `classes` has the C names. Letters that DejaVu Sans lacks, such as Chinese ones, are drawn as boxes;
/// the text alternative has them.
///
/// ```
/// use blitz::prelude::*;
///
/// let logits = Tensor::from_slice(&[0.5f32, 3.0, 1.0]); // net.forward(&photo.images)
/// let options = ClassBarsOptions { count: 2, ..Default::default() };
/// let bars = class_bars(&logits, &["bird", "cat", "dog"], &options)?;
/// assert_eq!(bars.picture.alt(), "The likeliest classes: cat 82.1 %, dog 11.1 %.");
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Shape`] for logits of another shape or kind, and for ones that are not finite;
/// [`Error::Option`] for a `count` of 0; [`Error::Draw`] where drawing fails.
pub fn class_bars(
    logits: &Tensor,
    classes: &[impl AsRef<str>],
    options: &ClassBarsOptions,
) -> Result<ClassBars> {
    if options.count == 0 {
        return Err(Error::option("count", "at least 1", 0));
    }
    let mut likeliest = probabilities(logits, classes)?;
    // A stable sort keeps the order of the labels.
    likeliest.sort_by(|one, other| other.probability.total_cmp(&one.probability));
    likeliest.truncate(options.count);
    let bar = |class| {
        let ClassProbability { name, probability, .. }: &ClassProbability = class;
        Bar { name, share: Some(*probability), label: percent(*probability) }
    };
    let drawn: Vec<Bar> = likeliest.iter().map(bar).collect();
    let words: Vec<String> =
        drawn.iter().map(|bar| format!("{} {}", bar.name, bar.label)).collect();
    let alt = format!("{}: {}.", options.title, words.join(", "));
    let picture = bars::draw(&options.title, &drawn, None, alt)?;
    Ok(ClassBars { likeliest, picture })
}

/// What the net gives each class, by label.
fn probabilities(logits: &Tensor, classes: &[impl AsRef<str>]) -> Result<Vec<ClassProbability>> {
    let wrong = |got: String| Error::Shape {
        operation: OPERATION,
        expected: format!("finite floating-point logits of one picture, [1, {}]", classes.len()),
        got,
    };
    if !logits.defined() {
        return Err(wrong("an undefined tensor".to_owned()));
    }
    let float = matches!(logits.kind(), Kind::Half | Kind::BFloat16 | Kind::Float | Kind::Double);
    let count = classes.len() as i64;
    let fits = matches!(logits.size()[..], [n] | [1, n] if n == count && n > 0);
    if !float || !fits {
        return Err(wrong(format!("{:?} of shape {:?}", logits.kind(), logits.size())));
    }
    let logits = logits.detach().to_device(Device::Cpu).to_kind(Kind::Double).view(-1);
    let values = Vec::<f64>::try_from(&logits.softmax(0, Kind::Double))?;
    if let Some(value) = values.iter().find(|value| !value.is_finite()) {
        return Err(wrong(format!("some whose softmax is {value}")));
    }
    let named = values.into_iter().zip(classes).enumerate();
    Ok(named
        .map(|(class, (probability, name))| ClassProbability {
            class,
            name: name.as_ref().to_owned(),
            probability,
        })
        .collect())
}
