//! The kernels that notebooks can run on.

use clap::ValueEnum;

/// One of the kernels that set-up registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kernel {
    /// This project's kernel
    Rust,
    /// evcxr_jupyter as it is published, with this project's compiled dependencies
    RustStock,
}

impl Kernel {
    /// All of them.
    pub const ALL: [Kernel; 2] = [Kernel::Rust, Kernel::RustStock];

    /// The name by which notebooks and Jupyter's tools ask for it.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Rust => "rust",
            Kernel::RustStock => "rust-stock",
        }
    }

    /// The name that people see in menus.
    pub fn display_name(self) -> &'static str {
        match self {
            Kernel::Rust => "Rust (Blitz)",
            Kernel::RustStock => "Rust (stock evcxr)",
        }
    }

    /// What its program is started with.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Kernel::Rust => &["--control_file", "{connection_file}"],
            Kernel::RustStock => &["stock", "--control_file", "{connection_file}"],
        }
    }
}
