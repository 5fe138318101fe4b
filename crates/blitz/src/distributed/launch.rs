//! Starting processes from a notebook's cell.

mod agent;
mod context;
mod ends;
mod messages;
mod output;
pub(crate) mod own_program;
mod rank;
mod returned;
mod trampoline;
mod workers;

use std::fmt::Display;

use blitz_contract::launcher::MOST_PROCESSES;
pub use returned::Returned;

use self::context::Context;
use super::process_group::ProcessGroup;
use crate::error::{Error, Result};

/// Runs a function of this notebook in `nproc` new processes, started as torchrun starts them, and
/// returns what it returns on rank 0.
///
/// Each process joins the group by [`init`](super::init) and calls `train` with it. It computes on
/// the GPU with its own number where there are as many GPUs as processes, and on the CPU otherwise.
///
/// ```no_run
/// use blitz::prelude::*;
///
/// fn train(group: &ProcessGroup) -> blitz::Result<f64> {
///     let mut sum = Tensor::from(group.rank() as f64);
///     group.all_reduce(&mut sum, ReduceOp::Sum)?;
///     println!("the sum is {}", sum.double_value(&[]));
///     Ok(sum.double_value(&[]))
/// }
///
/// let sum = distributed::launch(2, train)?; // 1
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// The processes know what the function's source says, and the notebook's statics as they were
/// before the first cell used them; the variables of cells stay where they are. So `train` is a
/// function, or a closure that captures nothing. It may return `()`, numbers, `bool`, `String`,
/// tensors, the reports of [`fit`](crate::train::fit::fit()) and
/// [`evaluate`](crate::train::metrics::evaluate()), and `Option`, `Vec` and tuples of those:
/// [`Returned`].
///
/// What the processes print appears at once, with the rank before each line; what rank 0 displays,
/// such as a live plot, appears as in any cell. An interrupt of the cell reaches all processes: those
/// that do not react are ended after some seconds. When the notebook's kernel ends, they end, too.
///
/// A program that calls [`program::begin`](crate::program::begin) first in `main` can launch, too: it is
/// started again, once for each rank. `cargo blitz launch` starts a whole program several times instead.
///
/// # Errors
///
/// [`Error::Rank`] with the first rank that panicked, returned an error, or ended before `train`
/// returned; the other processes are ended. [`Error::Option`] for a number of processes outside
/// `1..=64`; [`Error::Launch`] for a closure that captures variables, and where no process can be
/// started: outside a cell of the Rust Blitz kernel and of a program that has begun, or in a function
/// that `launch` runs;
/// [`Error::Interrupted`].
pub fn launch<T, E, F>(nproc: usize, train: F) -> Result<T>
where
    T: Returned,
    E: Display,
    F: Fn(&ProcessGroup) -> std::result::Result<T, E>,
{
    if !(1..=MOST_PROCESSES).contains(&nproc) {
        return Err(Error::option("nproc", format!("from 1 to {MOST_PROCESSES}"), nproc));
    }
    if size_of::<F>() != 0 {
        return Err(Error::Launch {
            reason: format!(
                "what they are to run uses variables of the notebook ({} bytes), which new \
                 processes do not see",
                size_of::<F>()
            ),
            remedy:
                "Name a function, and write the values into it, make each a const, or read them \
                     from a file"
                    .to_owned(),
        });
    }
    // The processes call it without this value; nothing of it is dropped here or there.
    std::mem::forget(train);
    let context = Context::find()?;
    let function = trampoline::trampoline::<T, E, F> as extern "C" fn(i32) -> i32;
    let returned = workers::run(nproc, &context, function as *const ())?;
    let mut bytes = returned.as_slice();
    T::read(&mut bytes).filter(|_| bytes.is_empty()).ok_or_else(|| Error::Rank {
        rank: 0,
        world_size: nproc,
        message: "what it returned did not arrive as it was sent".to_owned(),
    })
}
