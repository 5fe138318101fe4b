//! What the source that evcxr generates for a cell calls, compiled once instead of with each cell.
//!
//! Names, behaviour and layout are evcxr's. What is generic is kept so thin that a cell compiles next to
//! nothing of it.

pub mod showing;
pub mod user_error;
pub mod variable_store;

pub use showing::EvcxrDebugDisplay;
pub use user_error::{EvcxrUserCodeError, report_error};
pub use variable_store::{
    USER_ERROR_OCCURRED, VARIABLE_CHANGED_TYPE, VariableStore, create_variable_store,
};
