//! Showing values in the notebook, any number per cell: pictures, HTML, progress, live plots.
//!
//! ```no_run
//! use blitz::display::{self, Html, Markdown};
//!
//! display::show(Markdown("**Before** the training"));
//! display::show(Html("<b>5</b> epochs"));
//!
//! let mut status = display::show_updatable(Html("epoch 1"));
//! status.update(Html("epoch 2")); // in the same place
//!
//! for batch in display::progress(0..1_000) {
//!     // ... a bar shows how far this is, and how long it will take
//! }
//! ```
//!
//! | Where | What a value becomes |
//! | --- | --- |
//! | the Rust Blitz kernel | an output of its own, which can be updated |
//! | a stock evcxr kernel | the one output of the cell, which holds the last value of each kind |
//! | a plain program | its text alternative, a line on standard output; pictures also a file, after [`program::begin`](crate::program::begin) |

mod bundle;
pub(crate) mod files;
pub(crate) mod frontend;
mod handle;
pub mod interrupt;
mod kinds;
mod meter;
pub(crate) mod output;
mod progress_bar;
mod progress_iter;
pub(crate) mod table;
pub(crate) mod throttle;
#[doc(hidden)] // for `show!`
pub mod value;

pub use bundle::{Bundle, Show};
pub use handle::{Handle, show_updatable};
pub use kinds::{Html, Json, Markdown, Svg, Text};
pub use progress_bar::{ProgressBar, ProgressOptions};
pub use progress_iter::{ProgressIter, progress, progress_with};

pub(crate) use frontend::Frontend;
pub(crate) use handle::Place;
pub(crate) use kinds::escape;
pub(crate) use output::Output;

/// Shows `value` now, as an output of its own.
///
/// ```no_run
/// use blitz::prelude::*;
///
/// let series = Series::new("lr 0.001", [(250.0, 2.29), (500.0, 2.11)]);
/// let plot = loss_plot(&[series], LossPlotOptions::default())?;
/// display::show(&plot);
/// display::show(display::Html("<p>and <i>below</i> it</p>"));
/// # Ok::<(), blitz::Error>(())
/// ```
pub fn show(value: impl Show) {
    Output::standard().show(&value.bundle());
}

/// Removes the outputs of this cell at once. Only the Rust Blitz kernel can.
pub fn clear() {
    Output::standard().clear(frontend::Clear::Now);
}

/// Removes the outputs of this cell when the next one arrives, which avoids flicker
/// (`clear_output(wait=True)`). Only the Rust Blitz kernel can.
pub fn clear_on_next() {
    Output::standard().clear(frontend::Clear::OnNext);
}

impl Bundle {
    /// What evcxr calls when the bundle is the last expression of a cell.
    pub fn evcxr_display(&self) {
        Output::standard().result(self);
    }
}
