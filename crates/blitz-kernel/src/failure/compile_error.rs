//! rustc's errors, drawn on the cell's own lines.

use ariadne::sources;
use evcxr::{CompilationError, Theme};
use jupyter_protocol::ErrorOutput;

/// The name that the cell has in reports.
const CELL: &str = "cell";

/// All errors of a cell as one output.
pub fn describe(errors: &[CompilationError], code: &str) -> ErrorOutput {
    let mut traceback = Vec::new();
    for error in errors {
        traceback.extend(render(error, code));
    }
    let first = errors.first();
    let evalue = first.map_or_else(
        || "the cell does not compile".to_owned(),
        |error| {
            let code = error.code().map(|code| format!(" [{code}]")).unwrap_or_default();
            format!("{}{code}", error.message())
        },
    );
    ErrorOutput { ename: "compile error".to_owned(), evalue, traceback }
}

fn render(error: &CompilationError, code: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let report = error.is_from_user_code().then(|| drawn(error, code)).flatten();
    match report {
        Some(report) => lines.extend(report.lines().map(str::to_owned)),
        None => lines.extend(plain(error)),
    }
    let helps = error.help();
    let shown = lines.join("\n");
    let helps = helps.iter().filter(|help| !shown.contains(help.lines().next().unwrap_or(help)));
    for help in helps {
        lines.extend(format!("\x1b[1mhelp\x1b[0m: {help}").lines().map(str::to_owned));
    }
    if let Some(hint) = error.evcxr_extra_hint() {
        lines.push(format!("\x1b[1mnote\x1b[0m: {hint}"));
    }
    lines
}

/// The report with the code. evcxr draws one where the code is ASCII.
fn drawn(error: &CompilationError, code: &str) -> Option<String> {
    let report = error.build_report(CELL.to_owned(), code.to_owned(), Theme::Light)?;
    let mut text = Vec::new();
    report.write(sources([(CELL.to_owned(), code.to_owned())]), &mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// The report for code that is not ASCII, or that is not the cell's.
fn plain(error: &CompilationError) -> Vec<String> {
    let code = error.code().map(|code| format!("[{code}]")).unwrap_or_default();
    let mut lines = vec![format!("\x1b[31merror{code}\x1b[0m: {}", error.message())];
    for message in error.spanned_messages() {
        let Some(span) = &message.span else {
            lines.push(message.label.clone());
            continue;
        };
        lines.push(format!(" --> line {}, column {}", span.start_line, span.start_column));
        lines.extend(message.lines.iter().map(|line| format!("  | {line}")));
        if span.start_line == span.end_line {
            let indent = " ".repeat(span.start_column.saturating_sub(1));
            let marks = "^".repeat(span.end_column.saturating_sub(span.start_column).max(1));
            lines.push(format!("  | {indent}{marks} {}", message.label));
        } else if !message.label.is_empty() {
            lines.push(format!("  = {}", message.label));
        }
    }
    lines
}
