//! How good a net is: accuracy, the confusion matrix, and its most confident mistakes, as numbers
//! and as pictures.
//!
//! ```no_run
//! use blitz::prelude::*;
//!
//! # let cifar10 = Cifar10::load(&Cifar10Options::default())?;
//! # let vs = nn::VarStore::new(Device::Cpu);
//! # let net = cifar10_net(&vs.root());
//! let mut test_loader = DataLoader::new(&cifar10.test, LoaderOptions::default())?;
//! let predictions = predict(&net, &mut test_loader, &CLASSES)?;
//! let evaluation = predictions.evaluation();
//! print!("{evaluation}");
//! evaluation.accuracy_bars()?.show();
//! evaluation.confusion_heatmap()?.show();
//! predictions.mistake_grid(&cifar10.test, 16)?.show();
//! # Ok::<(), blitz::Error>(())
//! ```

mod accuracy_bars;
mod confusion_matrix;
mod evaluation;
mod predictions;

pub use evaluation::Evaluation;
pub(crate) use evaluation::accuracy;
pub use predictions::{Mistake, Predictions, evaluate, predict};
