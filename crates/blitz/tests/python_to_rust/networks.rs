//! Rows of notebook 03.

use crate::table::Page;

pub fn page() -> Page {
    Page { notebook: "03_neural_networks", sections: Vec::new() }
}
