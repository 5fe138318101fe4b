//! The marks in a cell's standard output that are not text.
//!
//! What a cell shows travels in the same pipe as what it prints, so that a reader sees both in
//! order. Ours begin with ASCII's record separator, which no one prints by chance; the others are
//! [evcxr's](https://github.com/evcxr/evcxr/blob/main/evcxr_jupyter/README.md#custom-output).
//!
//! And the marks in the source that evcxr generates, between which the notebook's definitions stand.

/// Begins a display command of the helper crate: `COMMAND JSON "\n"`, one line.
pub const COMMAND: &str = "\x1eblitz ";

/// Begins the report of an `Err` that left a cell through `?`:
/// `USER_ERROR LINE TYPE LENGTH "\n" MESSAGE "\n"`. The length, in bytes, lets a message span lines.
/// With line 0 it is what an interrupt ended early in a cell that comes to its end.
pub const USER_ERROR: &str = "\x1eblitz-error ";

/// Begins a value that displays itself: `BEGIN_CONTENT MIME "\n" DATA END_CONTENT`.
pub const BEGIN_CONTENT: &str = "EVCXR_BEGIN_CONTENT ";

/// Ends what [`BEGIN_CONTENT`] began. The line break before it does not belong to the data.
pub const END_CONTENT: &str = "\nEVCXR_END_CONTENT\n";

/// The line by which evcxr learns that a cell panicked.
pub const PANIC: &str = "EVCXR_PANIC_NOTIFICATION";

/// The line by which evcxr learns that an `Err` left a cell, so that its variables are kept.
pub const ERROR_OCCURRED: &str = "EVCXR_ERROR_OCCURRED";

/// Begins the line by which evcxr learns that a variable is lost: its name follows.
pub const VARIABLE_CHANGED_TYPE: &str = "EVCXR_VARIABLE_CHANGED_TYPE:";

/// Begins the line by which `evcxr_input` announces that it will read an answer:
/// `INPUT_REQUEST ":" PROMPT`, or with [`INPUT_IS_PASSWORD`] before the colon.
pub const INPUT_REQUEST: &str = "EVCXR_INPUT_REQUEST";

/// Follows [`INPUT_REQUEST`] where the answer is not to be seen.
pub const INPUT_IS_PASSWORD: &str = "_PASSWORD";

/// Begins the notebook's definitions in evcxr's source. evcxr takes this line and all that follows it
/// for one module of a fixed name: its parser believes that the brace ends the cell. rust-analyzer
/// passes over the brace and reads the definitions at the crate's root; rustc never sees this line.
pub const BEGIN_DEFINITIONS: &str = "mod blitz_definitions {} }";

/// Ends the notebook's definitions in evcxr's source.
pub const END_DEFINITIONS: &str = "mod blitz_definitions_end {}";
