//! The loops that are compared.

use serde_json::Value;

/// The loops, in the order in which they take turns: a name, and what readers see of it.
pub const LOOPS: [(&str, &str); 4] = [
    ("tutorial", "Python, the tutorial's loop, DataLoader with 2 workers"),
    ("eager", "Python, the best plain loop on preloaded tensors"),
    ("compiled", "Python, the same with `torch.compile`"),
    ("rust", "Rust, `fit`, as notebook 04"),
];

/// Milliseconds of a batch in what a loop printed.
pub fn per_batch(run: &Value) -> f64 {
    let number = |key: &str| run[key].as_f64().unwrap_or(f64::NAN);
    number("seconds") * 1e3 / number("batches")
}
