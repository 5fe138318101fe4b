//! rustc's errors, drawn on the cell's own lines.

use super::COMPILE_ERROR;
use super::cell_error::{CellError, Line};
use super::helps;
use super::python::Python;
use crate::notebook::fitting::CONFLICTS;
use crate::session::sent::{Position, Sent};
use crate::syntax::{ends_with_expression, tokens};
use ariadne::{Color, ColorGenerator, Label, Report, ReportKind, sources};
use evcxr::CompilationError;

/// The name that the cell has in reports.
const CELL: &str = "cell";

/// All errors of a cell as one output.
pub fn describe(errors: &[CompilationError], sent: &Sent, python: &Python) -> CellError {
    // Warnings are no reason why a cell fails; evcxr passes them on with the errors.
    let is_error = |error: &&CompilationError| error.level() != "warning";
    let fails = errors.iter().any(|error| is_error(&error));
    let errors = errors.iter().filter(|error| !fails || is_error(error));
    let (false_ones, mut errors): (Vec<_>, Vec<_>) = errors.partition(|it| is_replacement(it));
    if errors.is_empty() {
        errors = false_ones;
    }
    let is_used_here = |it: &&CompilationError| !is_used_by_evcxr(it);
    let is_used_at_the_end = !errors.iter().any(is_used_here);
    errors.retain(|it| is_used_at_the_end || is_used_here(it));
    if errors.iter().any(|it| !is_about_showing(it)) {
        errors.retain(|it| !is_about_showing(it));
    }
    let mut described = match errors.first() {
        Some(error) => {
            let code = error.code().map(|code| format!(" [{code}]")).unwrap_or_default();
            CellError::shown(COMPILE_ERROR, format!("{}{code}", readable(&error.message(), sent)))
        }
        None => CellError::new(COMPILE_ERROR, "the cell does not compile"),
    };
    let lines = errors.iter().flat_map(|error| render(error, sent));
    described.extend(lines.map(Line::shown));
    described.extend(told_of_python(&errors, sent, python));
    if is_used_at_the_end && !errors.is_empty() && ends_with_expression(&sent.written) {
        described.extend([Line::note("the last line of the cell uses it after that")]);
    }
    described
}

/// Whether the error is that a line of evcxr's uses what the cell has moved: it keeps a variable, or shows
/// the cell's last expression.
fn is_used_by_evcxr(error: &CompilationError) -> bool {
    let mut spanned = error.spanned_messages().iter();
    error.code() == Some("E0382") && !spanned.any(|it| it.is_primary && it.span.is_some())
}

/// Whether the error is that the last expression cannot be shown: of a line that is no Rust, evcxr takes what
/// is left of it for one.
fn is_about_showing(error: &CompilationError) -> bool {
    let message = error.message();
    ["evcxr_display", "evcxr_shown", "EvcxrDebugDisplay"].iter().any(|it| message.contains(it))
}

/// What Python's names in the errors are in Rust, each once.
fn told_of_python(errors: &[&CompilationError], sent: &Sent, python: &Python) -> Vec<Line> {
    let help = |error: &&CompilationError| {
        let span = error.primary_spanned_message()?.span?;
        let end = (span.end_line, span.end_column);
        let (start, _) = sent.original((span.start_line, span.start_column), end);
        python.help(error, &sent.written, sent.offset(start))
    };
    let mut helps: Vec<String> = Vec::new();
    for help in errors.iter().filter_map(help) {
        if !helps.contains(&help) {
            helps.push(help);
        }
    }
    helps.iter().map(|help| Line::help(help)).collect()
}

/// Whether a definition of the cell meets the one that it would replace. Of a cell that is no Rust,
/// rustc may see both.
fn is_replacement(error: &CompilationError) -> bool {
    let own = error.spanned_messages().iter().filter(|it| it.span.is_some());
    error.code().is_some_and(|code| CONFLICTS.contains(&code)) && own.count() < 2
}

/// What rustc says where a `;` is missing at the end of a line or of the cell, without what evcxr has written
/// behind it.
fn readable(message: &str, sent: &Sent) -> String {
    let text = ["found `evcxr_variable_store`", "found <end of input>"] // Not translated
        .iter()
        .fold(message.to_owned(), |text, found| text.replace(found, "found the end of the cell"));
    let is_written = |word: &str| tokens(&sent.written).iter().any(|token| token.text() == word);
    // `return` in a cell.
    let text = text.replace("`Result<(), EvcxrUserCodeError>`", "no value: a cell is no function");
    ["fn", "let"].into_iter().fold(text, |text, word| {
        let found = format!("found keyword `{word}`"); // Not translated
        match text.contains(&found) && !is_written(word) {
            true => text.replace(&found, "found the end of the line"),
            false => text,
        }
    })
}

/// What rustc advises.
struct Help {
    message: String,
    /// The piece of code that it would put in.
    suggested: String,
    /// The lines of the cell after it, as far as they are known.
    mended: Vec<String>,
}

fn helps(error: &CompilationError) -> Vec<Help> {
    let rendered = error.rendered();
    let help = |help: String| {
        let (message, suggested) = help.split_once("\n\n").unwrap_or((&help, ""));
        let mended = helps::mended(&rendered, message.lines().next().unwrap_or_default());
        Help { message: in_a_notebook(message), suggested: suggested.to_owned(), mended }
    };
    error.help().into_iter().map(help).collect()
}

/// Advice to change `Cargo.toml`, which a notebook has not.
fn in_a_notebook(help: &str) -> String {
    // Not translated: rustc's words.
    match help.split_once("`cargo add ").and_then(|(_, rest)| rest.split('`').next()) {
        Some(name) => format!(
            "if you want a crate named `{name}`, write `:dep {name} = \"VERSION\"` in a cell above"
        ),
        None => help.to_owned(),
    }
}

impl Help {
    /// Whether `text` tells it already.
    fn is_in(&self, text: &str) -> bool {
        text.contains(self.message.lines().next().unwrap_or_default())
    }
}

fn render(error: &CompilationError, sent: &Sent) -> Vec<String> {
    let mut lines = Vec::new();
    let helps = helps(error);
    let report = error.is_from_user_code().then(|| drawn(error, sent, &helps)).flatten();
    match report {
        Some(report) => lines.extend(report.lines().map(str::to_owned)),
        None => lines.extend(plain(error, sent)),
    }
    let shown = lines.join("\n");
    for help in helps.iter().filter(|help| !help.is_in(&shown)) {
        lines.extend(helps::told(&help.message, &help.mended));
        // Of advice in several pieces, the first may be a bracket.
        if help.mended.is_empty() && help.suggested.contains(char::is_alphanumeric) {
            lines.extend(help.suggested.lines().map(str::to_owned));
        }
    }
    if let Some(hint) = error.evcxr_extra_hint() {
        lines.push(format!("\x1b[1mnote\x1b[0m: {hint}"));
    }
    lines
}

/// The report with the code, for what is ASCII.
fn drawn(error: &CompilationError, sent: &Sent, helps: &[Help]) -> Option<String> {
    let code = &sent.written;
    if !code.is_ascii() {
        return None;
    }
    let range = |start: Position, end: Position| {
        let (start, end) = sent.original(start, end);
        sent.offset(start)..sent.offset(end)
    };
    // The head of the report names where this begins.
    let primary = error
        .primary_spanned_message()
        .and_then(|it| it.span.as_ref())
        .map(|it| range((it.start_line, it.start_column), (it.end_line, it.end_column)));
    let primary = (CELL.to_owned(), primary.unwrap_or(0..code.len()));
    let mut report =
        Report::build(ReportKind::Error, primary).with_message(readable(&error.message(), sent));
    if let Some(code) = error.code() {
        report = report.with_code(code);
    }
    let (mut colors, mut notes) = (ColorGenerator::new(), String::new());
    // Those that are shown as lines follow the report.
    let follows = |label: &str| helps.iter().any(|it| !it.mended.is_empty() && it.is_in(label));
    let within = error.help_spanned().iter().filter(|it| !follows(&it.label));
    for message in error.spanned_messages().iter().chain(within) {
        let Some(span) = &message.span else {
            notes.push_str(if notes.is_empty() { "" } else { "\n" });
            notes.push_str(&message.label);
            continue;
        };
        if message.label.is_empty() {
            continue;
        }
        // Dark on the light ground of a notebook.
        let color = match colors.next() {
            Color::Fixed(color) => Color::Fixed(255 - color),
            color => color,
        };
        let range = range((span.start_line, span.start_column), (span.end_line, span.end_column));
        let label =
            Label::new((CELL.to_owned(), range)).with_message(readable(&message.label, sent));
        report = report.with_label(label.with_color(color).with_order(10));
    }
    if matches!(error.code(), Some("E0384" | "E0596")) {
        // Not translated: it stands in rustc's report.
        report.set_note("You can change an existing variable to mutable like: `let mut x = x;`");
    } else if !notes.is_empty() {
        report.set_note(notes);
    }
    let mut text = Vec::new();
    let report = report.finish();
    report.write(sources([(CELL.to_owned(), code.clone())]), &mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// The report for code that is not ASCII, or that is not the cell's.
fn plain(error: &CompilationError, sent: &Sent) -> Vec<String> {
    let code = error.code().map(|code| format!("[{code}]")).unwrap_or_default();
    let mut lines =
        vec![format!("\x1b[31merror{code}\x1b[0m: {}", readable(&error.message(), sent))];
    for message in error.spanned_messages() {
        let Some(span) = &message.span else {
            lines.push(message.label.clone());
            continue;
        };
        let ((start_line, start_column), (end_line, end_column)) =
            sent.original((span.start_line, span.start_column), (span.end_line, span.end_column));
        // Not translated: as rustc says it.
        lines.push(format!(" --> line {start_line}, column {start_column}"));
        let shown = sent.written.lines().skip(start_line - 1).take(1 + end_line - start_line);
        lines.extend(shown.map(|line| format!("  | {line}")));
        if start_line == end_line {
            let indent = " ".repeat(start_column.saturating_sub(1));
            let marks = "^".repeat(end_column.saturating_sub(start_column).max(1));
            lines.push(format!("  | {indent}{marks} {}", readable(&message.label, sent)));
        } else if !message.label.is_empty() {
            lines.push(format!("  = {}", message.label));
        }
    }
    lines
}
