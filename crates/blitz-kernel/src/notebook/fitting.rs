//! Which definitions of a notebook fit each other, by rustc's own judgement.
//!
//! A cell that changes a type can leave an implementation or a function behind that no longer
//! compiles. That is no error of the cell: what no longer fits is set aside, with what needs it, and
//! tried again whenever something changes. A definition that another one makes impossible, such as
//! an import of a name that is now defined here, gives way to the newer one.

use crate::notebook::definition::Definition;
use crate::notebook::store::Store;
use anyhow::Result;
use blitz_toolchain::{Checked, Compiler};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The first line of a source that is checked.
const HEAD: &str = "#![allow(warnings)]";

/// Two definitions of one name, or two implementations of one trait.
pub const CONFLICTS: [&str; 7] = ["E0119", "E0252", "E0254", "E0255", "E0260", "E0428", "E0592"];

/// Definitions that fall one after the other come to an end.
const ROUNDS: usize = 30;

/// What became of a cell's definitions.
pub enum Fitted {
    /// They fit; what did not fit them is set aside.
    Fits(Store),
    /// They do not compile, for these reasons; what would have been set aside is in the store.
    Fails(Vec<Fault>, Store),
    /// The person did not want to wait.
    Cancelled,
}

/// An error of rustc's, with its places in cells.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The error, in rustc's JSON.
    pub error: Value,
    /// Where its spans are, in their order.
    pub places: Vec<Place>,
}

/// Where a span is.
#[derive(Clone, Debug)]
pub struct Place {
    /// The definition.
    pub definition: Definition,
    /// Its begin and end in the definition's cell, in lines and columns from 1.
    pub start: (usize, usize),
    pub end: (usize, usize),
    /// What rustc says of it.
    pub label: String,
    /// It is the error's own place.
    pub is_primary: bool,
}

/// Finds out what fits in `new`, which a cell has made of `old`. The cell's own definitions are
/// those of which `is_new`.
///
/// # Errors
/// rustc cannot be run.
pub fn fit(
    compiler: &Compiler,
    old: &Store,
    new: &Store,
    is_new: impl Fn(&Definition) -> bool,
) -> Result<Fitted> {
    let mut store = new.with_all();
    for _ in 0..ROUNDS {
        let (source, lines) = source(old, &store, &is_new);
        let errors = match compiler.check(&source)? {
            Checked::Cancelled => return Ok(Fitted::Cancelled),
            Checked::Errors(errors) => errors,
        };
        if errors.is_empty() {
            return Ok(Fitted::Fits(store));
        }
        let mut falling: HashMap<usize, Option<String>> = HashMap::new();
        let mut faults = Vec::new();
        for error in errors {
            let spans = spans(&error, &lines);
            let blamed = blamed(&error, &spans, &store, old, &is_new);
            if blamed.is_empty() {
                faults.push(Fault { places: places(&spans, &store), error });
            }
            falling.extend(blamed);
        }
        if falling.is_empty() {
            return Ok(Fitted::Fails(faults, store));
        }
        store = store.without(&falling);
    }
    anyhow::bail!("the definitions of this notebook do not come to rest")
}

/// The definitions, by index, that have to give way for `error`, with the reason; without one where
/// they are replaced for good.
fn blamed(
    error: &Value,
    spans: &[Span],
    store: &Store,
    old: &Store,
    is_new: &impl Fn(&Definition) -> bool,
) -> Vec<(usize, Option<String>)> {
    let is_old = |span: &&Span| !is_new(&store.definitions()[span.definition]);
    let code = error["code"]["code"].as_str().unwrap_or_default();
    if CONFLICTS.contains(&code) {
        let others: BTreeSet<usize> = spans.iter().filter(is_old).map(|it| it.definition).collect();
        let is_between_old = spans.iter().all(|span| is_old(&span));
        if is_between_old {
            // One of them was set aside and does not come back.
            let was_aside = |index: &usize| old.has_set_aside(&store.definitions()[*index]);
            let back = others.iter().copied().find(was_aside).or(others.iter().next().copied());
            return back
                .map(|index| (index, Some(reason(error, spans, store))))
                .into_iter()
                .collect();
        }
        return others.into_iter().map(|index| (index, None)).collect();
    }
    let primary: Vec<&Span> = spans.iter().filter(|span| span.is_primary).collect();
    if primary.is_empty() || !primary.iter().all(is_old) {
        return Vec::new();
    }
    let reason = reason(error, spans, store);
    primary.into_iter().map(|span| (span.definition, Some(reason.clone()))).collect()
}

fn reason(error: &Value, spans: &[Span], store: &Store) -> String {
    let message = error["message"].as_str().unwrap_or_default();
    let span = spans.iter().find(|span| span.is_primary);
    let line = span.map(|span| store.definitions()[span.definition].place(span.start.0, 1).0);
    line.map_or_else(|| message.to_owned(), |line| format!("{message} (line {line})"))
}

fn places(spans: &[Span], store: &Store) -> Vec<Place> {
    let place = |span: &Span| {
        let definition = store.definitions()[span.definition].clone();
        let (start, end) = (
            definition.place(span.start.0, span.start.1),
            definition.place(span.end.0, span.end.1),
        );
        Place { definition, start, end, label: span.label.clone(), is_primary: span.is_primary }
    };
    spans.iter().map(place).collect()
}

/// A place in a definition's source, in lines and columns from 1.
struct Span {
    definition: usize,
    start: (usize, usize),
    end: (usize, usize),
    label: String,
    is_primary: bool,
}

/// For each line of a checked source, from 1, the definition and its line.
type Lines = Vec<Option<(usize, usize)>>;

/// The source with everything that a change can concern, and what its lines are.
fn source(old: &Store, store: &Store, is_new: &impl Fn(&Definition) -> bool) -> (String, Lines) {
    let concerned = concerned(old, store, is_new);
    let (mut source, mut lines) = (format!("{HEAD}\n"), vec![None, None]);
    for (index, definition) in store.definitions().iter().enumerate() {
        if definition.set_aside.is_none() && concerned[index] {
            source.push_str(&definition.source);
            source.push('\n');
            lines.extend((1..=definition.lines()).map(|line| Some((index, line))));
        }
    }
    (source, lines)
}

/// What is new or was set aside, what uses a name of it, and what all of that needs.
fn concerned(old: &Store, store: &Store, is_new: &impl Fn(&Definition) -> bool) -> Vec<bool> {
    let all = store.definitions();
    let was_active = |it: &Definition| {
        old.active().any(|other| other.keys == it.keys && other.source == it.source)
    };
    let mut is_concerned: Vec<bool> = all.iter().map(|it| is_new(it) || !was_active(it)).collect();
    let mut changed: HashSet<&str> = HashSet::new();
    // What is gone concerns those who used it.
    for gone in old.active().filter(|it| !all.iter().any(|other| other.keys == it.keys)) {
        changed.extend(given(gone));
    }
    for (index, _) in is_concerned.iter().enumerate().filter(|(_, is)| **is) {
        changed.extend(given(&all[index]));
    }
    loop {
        let mut grown = false;
        for (index, definition) in all.iter().enumerate() {
            if !is_concerned[index]
                && definition.words.iter().any(|it| changed.contains(it.as_str()))
            {
                is_concerned[index] = true;
                changed.extend(given(definition));
                grown = true;
            }
        }
        if !grown {
            break;
        }
    }
    let notebook = super::for_toolchain(store, |it| it.source.clone());
    let text = all.iter().zip(&is_concerned).filter(|(_, is)| **is);
    let text: String = text.flat_map(|(it, _)| [it.source.as_str(), "\n"]).collect();
    let reached = notebook.reached(&text);
    is_concerned.iter().zip(reached).map(|(concerned, reached)| *concerned || reached).collect()
}

/// The names by which others use a definition.
fn given(definition: &Definition) -> Vec<&str> {
    let subject = definition.subject.0.iter().chain(&definition.subject.1);
    let own = definition.names.iter();
    match definition.names.is_empty() {
        true => subject.map(String::as_str).collect(),
        false => own.map(String::as_str).filter(|it| *it != "*" && *it != "_").collect(),
    }
}

/// The places that rustc names, in the notebook's definitions.
fn spans(error: &Value, lines: &Lines) -> Vec<Span> {
    let children = error["children"].as_array().into_iter().flatten();
    let notes = children.filter(|child| child["level"] == "note");
    let own = error["spans"].as_array().into_iter().flatten().map(|span| (span, None));
    let noted = notes.flat_map(|note| {
        let spans = note["spans"].as_array().into_iter().flatten();
        spans.map(|span| (span, note["message"].as_str()))
    });
    own.chain(noted).filter_map(|(span, note)| span_of(span, note, lines)).collect()
}

fn span_of(span: &Value, note: Option<&str>, lines: &Lines) -> Option<Span> {
    let local = local(span)?;
    let number = |name: &str| local[name].as_u64().and_then(|it| usize::try_from(it).ok());
    let (first, last) = (number("line_start")?, number("line_end")?);
    let (definition, line) = (*lines.get(first)?)?;
    let start = (line, number("column_start")?);
    let end = (line + last.saturating_sub(first), number("column_end")?);
    let label = note.or(span["label"].as_str()).unwrap_or_default().to_owned();
    let is_primary = note.is_none() && span["is_primary"] == true;
    Some(Span { definition, start, end, label, is_primary })
}

/// The place in the checked source. Within a macro that is where it was called: whoever wrote the
/// macro may have nothing to do with it.
fn local(span: &Value) -> Option<&Value> {
    let called = span["expansion"].is_object().then(|| local(&span["expansion"]["span"])).flatten();
    called.or_else(|| (span["file_name"] == "src/lib.rs").then_some(span))
}
