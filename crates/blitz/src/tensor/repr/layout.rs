//! Brackets, lines and suffixes.

use super::options::ReprOptions;

/// What every tensor's printed form begins with.
pub(super) const PREFIX: &str = "tensor(";

/// The shown elements as text, each padded, in the order of the dimensions.
pub(super) struct Table<'a> {
    pub(super) cells: &'a [String],
    pub(super) width: usize,
    pub(super) options: &'a ReprOptions,
    /// Whether long dimensions have lost their middle.
    pub(super) is_summary: bool,
}

impl Table<'_> {
    /// The elements in brackets; `full` is the shape of the whole tensor.
    pub(super) fn text(&self, full: &[usize], indent: usize) -> String {
        self.block(self.cells, full, indent)
    }

    /// Python's `_tensor_str_with_formatter`.
    fn block(&self, cells: &[String], full: &[usize], indent: usize) -> String {
        let Some((&length, inner)) = full.split_first() else { return cells[0].clone() };
        if inner.is_empty() {
            return self.row(cells, length, indent);
        }
        let size: usize = inner.iter().map(|&length| self.shown(length)).product();
        let slices = cells.chunks(size).map(|slice| self.block(slice, inner, indent + 1));
        let mut slices: Vec<String> = slices.collect();
        if self.is_cut(length) {
            slices.insert(self.options.edge_items, "...".to_owned());
        }
        let separator = format!(",{}{}", "\n".repeat(inner.len()), " ".repeat(indent + 1));
        format!("[{}]", slices.join(&separator))
    }

    /// The last dimension, in as many lines as it takes. Python's `_vector_str`.
    fn row(&self, cells: &[String], length: usize, indent: usize) -> String {
        let mut data: Vec<&str> = cells.iter().map(String::as_str).collect();
        if self.is_cut(length) {
            data.insert(self.options.edge_items, " ...");
        }
        let room = self.options.line_width.saturating_sub(indent);
        let per_line = (room / (self.width + 2)).max(1);
        let lines: Vec<String> = data.chunks(per_line).map(|line| line.join(", ")).collect();
        format!("[{}]", lines.join(&format!(",\n{}", " ".repeat(indent + 1))))
    }

    fn is_cut(&self, length: usize) -> bool {
        self.is_summary && length > self.options.edge_items.saturating_mul(2)
    }

    /// How many of `length` are shown.
    fn shown(&self, length: usize) -> usize {
        if self.is_cut(length) { 2 * self.options.edge_items } else { length }
    }
}

/// The text with its suffixes and the closing bracket; suffixes without room begin a line. Python's
/// `_add_suffixes`.
pub(super) fn with_suffixes(
    text: &str,
    suffixes: &[String],
    options: &ReprOptions,
    mut starts_new_line: bool,
) -> String {
    let indent = PREFIX.len();
    let mut out = text.to_owned();
    let mut last_line = match text.rfind('\n') {
        Some(newline) => text.len() - newline + 1,
        None => text.len() + 2,
    };
    for suffix in suffixes {
        if starts_new_line || last_line + suffix.len() + 2 > options.line_width {
            out.push_str(&format!(",\n{}{suffix}", " ".repeat(indent)));
            last_line = indent + suffix.len();
            starts_new_line = false;
        } else {
            out.push_str(&format!(", {suffix}"));
            last_line += suffix.len() + 2;
        }
    }
    out.push(')');
    out
}

/// A shape as Python prints it: `(2, 3)`, `(2,)`, `()`.
pub(super) fn tuple(shape: &[i64]) -> String {
    let lengths: Vec<String> = shape.iter().map(i64::to_string).collect();
    match lengths.as_slice() {
        [only] => format!("({only},)"),
        _ => format!("({})", lengths.join(", ")),
    }
}
