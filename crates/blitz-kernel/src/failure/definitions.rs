//! rustc's errors in what a cell defines, drawn on the cell's own lines.

use super::COMPILE_ERROR;
use super::cell_error::{CellError, Line};
use super::helps;
use crate::failure::place::Place as CellLine;
use crate::notebook::Changes;
use crate::notebook::definition::{Definition, Origin};
use crate::notebook::fitting::{Fault, Place};
use crate::notebook::store::Store;
use crate::session::lines::SourceLines;
use ariadne::{Color, ColorGenerator, Config, IndexType, Label, Report, ReportKind, sources};
use std::collections::HashSet;
use std::ops::Range;

/// The name that the cell has in reports.
const CELL: &str = "cell";

/// All errors as one output. `aside` are the definitions that the cell's own would have set aside.
pub fn describe(
    faults: &[Fault],
    aside: &[Definition],
    cells: &SourceLines,
    origin: &Origin,
) -> CellError {
    let code = cells.cell(origin.cell).unwrap_or_default();
    let mut error = match faults.first() {
        Some(fault) => {
            let code = code_of(fault).map(|code| format!(" [{code}]")).unwrap_or_default();
            CellError::shown(COMPILE_ERROR, format!("{}{code}", message(fault)))
        }
        None => CellError::new(COMPILE_ERROR, "the cell's definitions do not compile"),
    };
    for fault in faults {
        error.extend(render(fault, code, cells, origin));
    }
    error.extend(would_not_fit(aside));
    error
}

/// What would have happened to other cells' definitions.
fn would_not_fit(aside: &[Definition]) -> impl Iterator<Item = Line> {
    aside.iter().map(|it| {
        let reason = it.set_aside.as_deref().unwrap_or_default();
        Line::note(&format!("{} would no longer fit: {reason}", it.described()))
    })
}

/// What a person has to know of the definitions to understand an error in `code`: what of the things
/// that it names is set aside, and what would have changed with the cell.
pub fn notes(code: &str, store: &Store, changes: &Changes) -> Vec<Line> {
    let words: HashSet<&str> = blitz_toolchain::notebook::words(code).collect();
    let is_named = |it: &&Definition| {
        let mut names = it.names.iter().chain(&it.subject.0);
        names.any(|name| words.contains(name.as_str()))
    };
    let aside = store.definitions().iter().filter(|it| it.set_aside.is_some()).filter(is_named);
    let aside = aside.map(|it| {
        let reason = it.set_aside.as_deref().unwrap_or_default();
        let described = it.described();
        Line::note(&format!("{described} is set aside, because it does not fit: {reason}"))
    });
    let dropped = changes.dropped.iter().map(|(name, kind)| {
        Line::note(&format!(
            "with this cell the type `{kind}` of the variable `{name}` would be another one"
        ))
    });
    aside.chain(would_not_fit(&changes.set_aside)).chain(dropped).collect()
}

fn message(fault: &Fault) -> &str {
    fault.error["message"].as_str().unwrap_or_default()
}

fn code_of(fault: &Fault) -> Option<&str> {
    fault.error["code"]["code"].as_str()
}

fn render(fault: &Fault, code: &str, cells: &SourceLines, origin: &Origin) -> Vec<Line> {
    let is_here = |place: &&Place| place.definition.origin.cell == origin.cell;
    let here: Vec<&Place> = fault.places.iter().filter(is_here).collect();
    let drawn = drawn(fault, code, &here);
    let report = drawn.unwrap_or_else(|| {
        let code = code_of(fault).map(|code| format!("[{code}]")).unwrap_or_default();
        format!("\x1b[31merror{code}\x1b[0m: {}", message(fault))
    });
    let (mut lines, mut shown): (Vec<Line>, _) =
        (report.lines().map(Line::shown).collect(), report.clone());
    for place in fault.places.iter().filter(|place| !is_here(place)) {
        lines.push(Line::shown(format!("\x1b[1mnote\x1b[0m: {}", place.label)));
        shown.push_str(&place.label);
        let cell = place.definition.origin.cell;
        let text = cells.cell(cell).and_then(|code| code.lines().nth(place.start.0 - 1));
        let text = text.unwrap_or_default().to_owned();
        lines.extend(CellLine { cell, line: place.start.0, text }.render());
    }
    let children = fault.error["children"].as_array().into_iter().flatten();
    for child in children {
        let text = child["message"].as_str().unwrap_or_default();
        if child["level"] == "help" && !text.is_empty() && !shown.contains(text) {
            let rendered = fault.error["rendered"].as_str().unwrap_or_default();
            let mended = helps::mended(rendered, text);
            let replacement = if mended.is_empty() { replacement(child) } else { String::new() };
            let told = helps::told(&format!("{text}{replacement}"), &mended);
            lines.extend(told.into_iter().map(Line::shown));
        }
    }
    lines
}

/// What a help proposes to write.
fn replacement(child: &serde_json::Value) -> String {
    let spans = child["spans"].as_array().into_iter().flatten();
    let proposed = spans.filter_map(|span| span["suggested_replacement"].as_str());
    let proposed: Vec<&str> = proposed.map(str::trim).filter(|it| !it.is_empty()).collect();
    if proposed.is_empty() { String::new() } else { format!(": `{}`", proposed.join("`, `")) }
}

/// The report with the code.
fn drawn(fault: &Fault, code: &str, here: &[&Place]) -> Option<String> {
    let primary = here.iter().find(|place| place.is_primary).or(here.first())?;
    let config = Config::default().with_index_type(IndexType::Char);
    let mut builder = Report::build(ReportKind::Error, (CELL.to_owned(), range(code, primary)?))
        .with_config(config)
        .with_message(message(fault));
    if let Some(code) = code_of(fault) {
        builder = builder.with_code(code);
    }
    let mut colours = ColorGenerator::new();
    for place in here {
        if place.label.is_empty() && !place.is_primary {
            continue;
        }
        let colour = match colours.next() {
            // As evcxr on a light page.
            Color::Fixed(number) => Color::Fixed(255 - number),
            other => other,
        };
        let label = Label::new((CELL.to_owned(), range(code, place)?));
        let text = if place.label.is_empty() { "here" } else { &place.label };
        builder = builder.with_label(label.with_message(text).with_color(colour).with_order(10));
    }
    let mut text = Vec::new();
    let report = builder.finish();
    report.write(sources([(CELL.to_owned(), code.to_owned())]), &mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// The characters of `code` at a place.
fn range(code: &str, place: &Place) -> Option<Range<usize>> {
    let offset = |(line, column): (usize, usize)| {
        let before = code.split_inclusive('\n').take(line - 1).map(|it| it.chars().count());
        let text = code.split('\n').nth(line - 1)?;
        Some(before.sum::<usize>() + (column - 1).min(text.chars().count()))
    };
    let (start, end) = (offset(place.start)?, offset(place.end)?);
    Some(start..end.max(start))
}
