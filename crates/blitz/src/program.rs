//! What a notebook is as a program: `cargo blitz programs` writes one for each page.
//!
//! ```no_run
//! use blitz::prelude::*;
//! use blitz::program::{self, ProgramOptions};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     program::begin(ProgramOptions::default())?;
//!     let x = Tensor::from_slice(&[1f32, 2.0]);
//!     blitz::show!(x); // prints what a cell would show below it
//!     let series = Series::new("loss", [(0.0, 2.3), (1.0, 2.1)]);
//!     blitz::show!(loss_plot(&[series], LossPlotOptions::default())?); // a file in pictures/
//!     Ok(())
//! }
//! ```

use std::error::Error;
use std::path::PathBuf;

use crate::display::files::{self, Files};
use crate::distributed::launch::own_program;
use crate::error::Result;
use crate::error::caught_panic::caught;

/// How a program shows what a notebook would show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramOptions {
    /// What the names of the files begin with: `01_tensors` gives `01_tensors-01.png`. By default the
    /// program's own name.
    pub name: String,
    /// The directory for the pictures, from where the program runs; `pictures`. It is made when there
    /// is a first one.
    pub pictures: PathBuf,
}

impl Default for ProgramOptions {
    fn default() -> ProgramOptions {
        let program = std::env::current_exe().unwrap_or_default();
        let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        ProgramOptions { name, pictures: PathBuf::from("pictures") }
    }
}

/// Makes this program do what a kernel does for a notebook. `main` calls it first, once:
///
/// - pictures that are shown from now on are saved to numbered files, and a line says where;
/// - [`distributed::launch`](crate::distributed::launch()) can start this program again. In the
///   processes that it starts, this call runs the launched function and does not return.
///
/// # Errors
///
/// [`crate::Error::Option`] where it was called before, and for a name that is none of a file.
pub fn begin(options: ProgramOptions) -> Result<()> {
    own_program::serve();
    files::collect(Files::new(options.pictures, options.name)?)
}

/// Runs what is to fail, prints how it did, and goes on: a cell that a page lets panic or end with an
/// error.
///
/// ```no_run
/// use blitz::prelude::*;
///
/// blitz::program::fails(|| {
///     let x = Tensor::rand([2, 3], (Kind::Float, Device::Cpu));
///     let _ = x.matmul(&x); // panic: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)
///     Ok(())
/// });
/// ```
pub fn fails(cell: impl FnOnce() -> std::result::Result<(), Box<dyn Error>>) {
    match caught(cell) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => println!("error: {error}"),
        Err(message) => println!("panic: {message}"),
    }
}
