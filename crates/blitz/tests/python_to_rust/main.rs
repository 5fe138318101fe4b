//! The table "Python → Rust": every row is run here, and by Python in `cargo blitz test`.
//!
//! A row is a Python line, the Rust line for it, and what both must give. The Rust text is that of
//! the code that runs. From the rows come `src/python_to_rust.md` (the crate's documentation), the
//! tables at the ends of the notebooks, and `reference/python_to_rust.json`, whose Python lines
//! `reference/make_python_to_rust.py` evaluates and compares with the results from here.
//!
//! After a change: `BLITZ_UPDATE=1 cargo test -p blitz --test python_to_rust` writes the first two
//! files and the notebooks' tables anew.
#![allow(clippy::unwrap_used)]

mod autograd;
#[path = "../common/mod.rs"]
mod common;
mod in_python;
mod networks;
mod processes;
mod table;
mod tensors;

use std::path::{Path, PathBuf};
use table::{Page, is_update, read, write};

fn pages() -> Vec<Page> {
    vec![
        tensors::page(),
        autograd::page(),
        networks::page(),
        networks::classifier_page(),
        processes::page(),
    ]
}

fn in_crate(path: &str) -> PathBuf {
    common::crate_dir().join(path)
}

/// One test, since the rows seed libtorch's one global generator.
#[test]
fn the_tables_say_what_was_run() {
    let _turn = common::seeded(0);
    let pages = pages();
    let count: usize = pages.iter().map(Page::row_count).sum();
    assert!(count > 80, "{count} rows");
    stays_as_written(&in_crate("tests/reference/python_to_rust.json"), &table::json(&pages));
    stays_as_written(&in_crate("src/python_to_rust.md"), &table::documentation(&pages));
    for page in &pages {
        let notebook = in_crate(&format!("../../notebooks/{}.ipynb", page.notebook));
        stays_as_written(&notebook, &table::in_notebook(&read(&notebook), page));
    }
}

fn stays_as_written(path: &Path, text: &str) {
    if is_update() {
        write(path, text);
    }
    assert!(
        read(path) == text,
        "{} is not what the rows give; run with BLITZ_UPDATE=1 and look at the difference",
        path.display()
    );
}
