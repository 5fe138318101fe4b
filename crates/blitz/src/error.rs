//! The one error type of the crate. Every message says what was attempted, what was found and
//! what to do about it.

pub(crate) mod caught_panic;
mod make;
pub(crate) mod peer_text;
pub(crate) mod torch_text;

use std::fmt;
use std::path::PathBuf;

use tch::TchError;

/// What the functions of this crate return: `std::result::Result` with [`Error`] filled in.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The first line of an error's text. libtorch's errors go on with many lines of C++ calls.
///
/// ```
/// use blitz::prelude::*;
///
/// let x = Tensor::zeros([2, 3], (Kind::Float, Device::Cpu));
/// let error = x.f_matmul(&x).unwrap_err();
/// assert!(first_line(&error).ends_with("shapes cannot be multiplied (2x3 and 2x3)"));
/// ```
pub fn first_line(error: &dyn fmt::Display) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// Everything that can go wrong in this crate.
///
/// `Debug` prints the same sentence as `Display`, because that is what a notebook and `unwrap`
/// show a learner.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused to read, write or rename a file.
    #[error("could not {operation} {}: {source}. Check that the path exists, that you may use it, and that the disk has room.", path.display())]
    Io {
        /// A verb, such as `read`.
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },

    /// A file that the data set needs is not there.
    #[error("{} is missing. {remedy}", path.display())]
    MissingFile {
        /// Where the file should be.
        path: PathBuf,
        /// How to get it.
        remedy: String,
    },

    /// A file of the data set has an impossible length.
    #[error("{} is damaged: expected {expected}, found {found} bytes. {remedy}", path.display())]
    DamagedFile {
        /// The file.
        path: PathBuf,
        /// The length that was expected, in words.
        expected: String,
        /// Its length in bytes.
        found: u64,
        /// How to mend it.
        remedy: String,
    },

    /// A record of the data set has a label outside 0..=9.
    #[error(
        "{} is damaged: expected a label from 0 to 9 at byte {offset}, found {found}. Fetch the file again; CIFAR-100 and the Python version of CIFAR-10 have other layouts.", path.display()
    )]
    BadLabel {
        /// The file.
        path: PathBuf,
        /// Distance of the label from the start of the file, in bytes.
        offset: usize,
        /// The byte found there.
        found: u8,
    },

    /// A file is no picture, or none that can be read.
    #[error("could not read the picture {}: {reason}. {remedy}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, in a sentence without its full stop.
        reason: String,
        /// What helps.
        remedy: String,
    },

    /// A folder does not hold pictures in folders by class, or may not be written to.
    #[error("{} is not {expected}: {reason}. {remedy}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What it was taken for.
        expected: &'static str,
        /// Why it is not that, in a sentence without its full stop.
        reason: String,
        /// What helps.
        remedy: String,
    },

    /// The archive could not be fetched.
    #[error(
        "could not download {url}: {reason}. Check the network (HTTPS_PROXY is honoured), or fetch the file elsewhere, unpack it and set BLITZ_DATA to its directory."
    )]
    Download {
        /// The address asked for.
        url: String,
        /// What went wrong, in one sentence without its full stop.
        reason: String,
    },

    /// The archive arrived, but it is not the expected one.
    #[error(
        "the download of {url} is not the expected file: expected {expected}, got {got}. Nothing was kept; try again, and if it stays so the server's file has changed."
    )]
    WrongArchive {
        /// The address asked for.
        url: String,
        /// Size or SHA-256 expected.
        expected: String,
        /// Size or SHA-256 received.
        got: String,
    },

    /// The device asked for cannot be used.
    #[error("cannot use device \"{request}\": {reason}. {remedy}")]
    Device {
        /// The request as given.
        request: String,
        /// Why it cannot be met.
        reason: String,
        /// What to ask for, or to install, instead.
        remedy: String,
    },

    /// A tensor has the wrong shape or kind.
    #[error("{operation} expected {expected}, got {got}")]
    Shape {
        /// What was attempted.
        operation: &'static str,
        /// Shape or kind expected.
        expected: String,
        /// Shape or kind received.
        got: String,
    },

    /// A layer got an input that does not fit it.
    #[error("{layer} expected {expected}, got {got}{hint}")]
    Layer {
        /// The layer as PyTorch prints it.
        layer: String,
        /// Shape, kind or device expected.
        expected: String,
        /// Shape, kind or device received.
        got: String,
        /// What may help, as a further sentence; empty where nothing is known.
        hint: String,
    },

    /// A net's forward pass failed.
    #[error("the forward pass failed at {layer}: {reason}. Sizes up to there: {sizes}")]
    Forward {
        /// The layer's name, or the operation.
        layer: String,
        /// What it said.
        reason: String,
        /// The sizes of the data from the input to that layer.
        sizes: String,
    },

    /// An option has a value that makes no sense.
    #[error("option {option} must be {expected}, got {got}")]
    Option {
        /// Name of the field.
        option: &'static str,
        /// The values that make sense.
        expected: String,
        /// The value received.
        got: String,
    },

    /// libtorch refused an operation.
    #[error("libtorch refused {operation}: {message}")]
    Torch {
        /// What was attempted.
        operation: &'static str,
        /// First sentence of libtorch's message.
        message: String,
    },

    /// An optimizer has nothing to change its parameters by.
    #[error("no parameter of this optimizer got a gradient{origin}: {reason}. {remedy}")]
    NoGradient {
        /// Where it should have come from: ` from this loss`, or nothing where no loss is known.
        origin: &'static str,
        /// Why there is none.
        reason: String,
        /// What helps.
        remedy: &'static str,
    },

    /// Rust code that a backward pass called did not succeed.
    #[error("{place} failed: {message}")]
    Backward {
        /// `a gradient hook`, or the function's name in the graph, such as `MyReLUBackward`.
        place: String,
        /// Its error, or what its panic said.
        message: String,
    },

    /// A backward and finite differences do not agree.
    #[error(
        "the gradient is wrong: the derivative of outputs[{output}] element {output_element} by inputs[{input}] element {input_element} is {difference} by finite differences, but {backward} by the backward. Check the formula of the backward, and that the function is smooth at this point."
    )]
    Gradient {
        /// Position of the output.
        output: usize,
        /// Position within the output, counted row by row.
        output_element: usize,
        /// Position of the input.
        input: usize,
        /// Position within the input, counted row by row.
        input_element: usize,
        /// The derivative that the backward gives.
        backward: f64,
        /// The derivative by finite differences.
        difference: f64,
    },

    /// An exercise is not solved.
    #[error("exercise {exercise}: {reason}")]
    Exercise {
        /// Its number and title.
        exercise: String,
        /// What is wrong, the question to think about, and how to get a hint.
        reason: String,
    },

    /// What one's own code has to say; made from a string by `into()` or `?`.
    #[error("{0}")]
    Message(String),

    /// A picture could not be drawn or encoded.
    #[error("could not draw the {what}: {reason}")]
    Draw {
        /// The kind of picture.
        what: &'static str,
        /// What went wrong.
        reason: String,
    },

    /// The loss became NaN or infinite.
    #[error(
        "the loss became {loss} in epoch {epoch}, step {step}; the parameters are spoilt. Build the net and the optimizer anew with a smaller lr (divide it by 10), and check that the images are normalised."
    )]
    LossNotFinite {
        /// Epoch, counted from 1.
        epoch: usize,
        /// Step within the epoch, counted from 1.
        step: usize,
        /// The loss.
        loss: f64,
    },

    /// The person asked the running cell to stop.
    #[error("interrupted {operation}: {state}")]
    Interrupted {
        /// What was running.
        operation: &'static str,
        /// What it leaves behind.
        state: String,
    },

    /// The processes of a training do not go on together.
    #[error("{operation} failed on rank {rank} of {world_size}: {reason}. {remedy}")]
    Process {
        /// What was attempted.
        operation: &'static str,
        /// The process that tells it, counted from 0.
        rank: usize,
        /// Processes of the training.
        world_size: usize,
        /// What went wrong, naming the other ranks where they are known.
        reason: String,
        /// What helps.
        remedy: String,
    },

    /// One of the processes that [`launch`](crate::distributed::launch()) started did not succeed.
    #[error("{}", of_rank(*rank, *world_size, message))]
    Rank {
        /// The process, counted from 0.
        rank: usize,
        /// How many there were.
        world_size: usize,
        /// Its error, what its panic said, or how it ended.
        message: String,
    },

    /// No processes can be started.
    #[error("launch cannot start processes: {reason}. {remedy}.")]
    Launch {
        /// Why not, in a sentence without its full stop.
        reason: String,
        /// What helps, in another.
        remedy: String,
    },

    /// A checkpoint does not fit the net.
    #[error("checkpoint {} does not fit this net: {reason}. Nothing was loaded; {remedy}.", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Which parameter differs, and how.
        reason: String,
        /// What helps.
        remedy: String,
    },

    /// A checkpoint cannot be read.
    #[error("checkpoint {} cannot be read: {reason}. Nothing was loaded; {remedy}.", path.display())]
    DamagedCheckpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and with which parameter where that is known.
        reason: String,
        /// What helps; where it is a line of Python, `path` and `net` stand for one's own.
        remedy: String,
    },

    /// Another training writes the same checkpoints.
    #[error("the checkpoints in {} are being written by {holder}. Wait until it has finished or stop it, or choose another directory.", path.display())]
    CheckpointInUse {
        /// The directory.
        path: PathBuf,
        /// Who writes it.
        holder: String,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// So that a notebook may write `tensor.f_matmul(&other)?` next to this crate's own calls.
impl From<TchError> for Error {
    fn from(error: TchError) -> Error {
        Error::torch("a tensor operation")(error)
    }
}

/// For a function's `return Err("x must be positive".into())`.
impl From<&str> for Error {
    fn from(message: &str) -> Error {
        Error::Message(message.to_owned())
    }
}

/// For a function's `return Err(format!("{x} is not positive").into())`.
impl From<String> for Error {
    fn from(message: String) -> Error {
        Error::Message(message)
    }
}

/// A rank's message, with the rank before it unless it begins with that itself, as [`Error::Process`] does.
fn of_rank(rank: usize, world_size: usize, message: &str) -> String {
    let itself = format!("failed on rank {rank} of {world_size}: "); // Not translated: compared
    match message.split_once(' ').is_some_and(|(_operation, rest)| rest.starts_with(&itself)) {
        true => message.to_owned(),
        false => format!("rank {rank} of {world_size}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_is_said_once() {
        let told = |rank, message: &str| {
            Error::Rank { rank, world_size: 2, message: message.to_owned() }.to_string()
        };
        assert_eq!(told(1, "no data"), "rank 1 of 2: no data");
        let own = "all_reduce failed on rank 1 of 2: it is too late. Wait.";
        assert_eq!(told(1, own), own);
        assert_eq!(told(0, own), format!("rank 0 of 2: {own}"));
        let quoted = "the log has: all_reduce failed on rank 1 of 2: it is too late. Wait.";
        assert_eq!(told(1, quoted), format!("rank 1 of 2: {quoted}"));
    }
}
