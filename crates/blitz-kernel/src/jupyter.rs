//! Jupyter's messaging protocol: <https://jupyter-client.readthedocs.io/en/stable/messaging.html>.

pub mod control;
pub mod execute;
pub mod history;
pub mod own_stderr;
pub mod server;
pub mod shared;
pub mod shell;
pub mod sockets;
pub mod stdin;
pub mod wire;
