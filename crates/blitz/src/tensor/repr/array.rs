//! Arrays as NumPy's `str` prints them, with NumPy's default options.
//!
//! Source: NumPy 2's `numpy/_core/arrayprint.py`, followed rule by rule.

use ndarray::{ArrayViewD, Axis};

use super::number::{long_exponent, python_float};
use crate::tensor::array::{Element, Number};

const PRECISION: usize = 8;
const LINE_WIDTH: usize = 75;
/// More elements than these are not all shown,
const THRESHOLD: usize = 1000;
/// but so many at both ends of a dimension.
const EDGE_ITEMS: usize = 3;
const GAP: &str = "...";

/// Python: `str(n)`.
pub(super) fn text<T: Element>(array: &ArrayViewD<'_, T>) -> String {
    if array.is_empty() {
        return "[]".to_owned();
    }
    let edge = if array.len() > THRESHOLD { EDGE_ITEMS } else { usize::MAX };
    if array.ndim() == 0 {
        return scalar(array.first().map(|element| element.to_number()));
    }
    let numbers: Vec<Number> = shown(array, edge).into_iter().map(Element::to_number).collect();
    let mut cells = cells(&numbers).into_iter();
    block(array.shape(), edge, &mut cells, 1, LINE_WIDTH)
}

/// A single number, as Python's `str` prints it.
fn scalar(number: Option<Number>) -> String {
    match number {
        Some(Number::Float { value, digits, .. }) if value.is_finite() => {
            python_float(digits.parse().unwrap_or(value))
        }
        Some(number) => cells(&[number]).concat().trim().to_owned(),
        None => String::new(),
    }
}

/// The elements without the middle of long dimensions.
fn shown<T: Element>(array: &ArrayViewD<'_, T>, edge: usize) -> Vec<T> {
    if array.ndim() == 0 {
        return array.first().copied().into_iter().collect();
    }
    let length = array.shape()[0];
    let has_gap = length > edge.saturating_mul(2);
    let is_shown = |index: &usize| !has_gap || *index < edge || *index >= length - edge;
    let indices = (0..length).filter(is_shown);
    indices.flat_map(|index| shown(&array.index_axis(Axis(0), index), edge)).collect()
}

/// The numbers as text, all equally wide. Python's `_get_format_function`.
fn cells(numbers: &[Number]) -> Vec<String> {
    let form = Form::of(numbers);
    let texts: Vec<String> = numbers.iter().map(|number| form.text(number)).collect();
    let finite = || {
        let both = numbers.iter().zip(&texts).filter(|(number, _)| number.finite().is_some());
        both.map(|(_, text)| text.split_once('.').unwrap_or((text, "")))
    };
    let left = finite().map(|(before, _)| before.len()).max().unwrap_or(0);
    let right = finite().map(|(_, after)| after.len()).max().unwrap_or(0);
    let pad = |(number, text): (&Number, &String)| match (number.finite(), text.split_once('.')) {
        (Some(_), Some((before, after))) => format!("{before:>left$}.{after:<right$}"),
        _ => text.clone(),
    };
    let cells: Vec<String> = numbers.iter().zip(&texts).map(pad).collect();
    let width = cells.iter().map(String::len).max().unwrap_or(0);
    // NumPy leaves the place of False also where there is none.
    let has_bools = matches!(numbers, [Number::Bool(_), ..]);
    let width = if has_bools { "False".len() } else { width };
    cells.into_iter().map(|cell| format!("{cell:>width$}")).collect()
}

/// How all floating-point numbers of an array are printed. Python's `FloatingFormat`.
#[derive(Clone, Copy)]
enum Form {
    Positional,
    /// With so many digits after the point.
    Scientific(usize),
}

impl Form {
    fn of(numbers: &[Number]) -> Form {
        let sizes = || {
            let finite = numbers.iter().filter_map(|number| number.finite());
            finite.map(f64::abs).filter(|size| *size != 0.0)
        };
        let limit = numbers.iter().map(Number::largest).fold(f64::INFINITY, f64::min);
        let largest = sizes().fold(0.0, f64::max);
        let smallest = sizes().fold(f64::INFINITY, f64::min);
        let spreads = largest >= limit || smallest < 1e-4 || largest / smallest > 1000.0;
        if largest == 0.0 || !spreads {
            return Form::Positional;
        }
        let places = numbers.iter().map(|number| number.scientific_places());
        Form::Scientific(places.max().unwrap_or(0))
    }

    fn text(self, number: &Number) -> String {
        let (value, digits) = match number {
            Number::Integer(value) => return value.to_string(),
            Number::Bool(value) => return if *value { "True" } else { "False" }.to_owned(),
            Number::Float { value, digits, .. } => (*value, digits),
        };
        if value.is_nan() {
            return "nan".to_owned();
        }
        if value.is_infinite() {
            return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
        }
        match self {
            Form::Positional => positional(value, digits),
            Form::Scientific(places) => {
                let text = long_exponent(&format!("{value:.places$e}"));
                if places == 0 { text.replace('e', ".e") } else { text }
            }
        }
    }
}

/// At most eight digits after the point, and no zeros at the end: `1.5`, `2.`.
fn positional(value: f64, digits: &str) -> String {
    let shortest = digits.parse::<f64>().map_or_else(|_| value.to_string(), |it| it.to_string());
    let long = shortest.split_once('.').is_some_and(|(_, after)| after.len() > PRECISION);
    let text = if long { format!("{value:.PRECISION$}") } else { shortest };
    let (before, after) = text.split_once('.').unwrap_or((&text, ""));
    format!("{before}.{}", after.trim_end_matches('0'))
}

impl Number {
    fn finite(&self) -> Option<f64> {
        match self {
            Number::Float { value, .. } => value.is_finite().then_some(*value),
            Number::Integer(_) | Number::Bool(_) => None,
        }
    }

    /// From where on numbers of this type are printed in scientific form.
    fn largest(&self) -> f64 {
        match self {
            Number::Float { precision, .. } => 10f64.powi((*precision).min(8)),
            Number::Integer(_) | Number::Bool(_) => f64::INFINITY,
        }
    }

    /// How many digits after the point tell the number from others, at most eight.
    fn scientific_places(&self) -> usize {
        let Number::Float { value, digits, .. } = self else { return 0 };
        let mantissa = digits.split('e').next().filter(|_| value.is_finite()).unwrap_or("");
        mantissa.split_once('.').map_or(0, |(_, after)| after.len().min(PRECISION))
    }
}

/// The brackets around the next cells. Python's `_formatArray`.
fn block(
    shape: &[usize],
    edge: usize,
    cells: &mut impl Iterator<Item = String>,
    indent: usize,
    room: usize,
) -> String {
    let [length, inner @ ..] = shape else { return cells.next().unwrap_or_default() };
    let has_gap = *length > edge.saturating_mul(2);
    let count = if has_gap { 2 * edge } else { *length };
    let mut parts: Vec<String> =
        (0..count).map(|_| block(inner, edge, cells, indent + 1, room - 1)).collect();
    if has_gap {
        parts.insert(edge, GAP.to_owned());
    }
    let margin = " ".repeat(indent);
    match inner.len() {
        0 => format!("[{}]", lines(&parts, &margin, room - 1)),
        depth => format!("[{}]", parts.join(&format!("{}{margin}", "\n".repeat(depth)))),
    }
}

/// The words of the last dimension, in as many lines as they take. Python's `_extendLine`.
fn lines(words: &[String], margin: &str, room: usize) -> String {
    let mut done = String::new();
    let mut line = margin.to_owned();
    for word in words {
        if line.len() + word.len() > room && line.len() > margin.len() {
            done.push_str(line.trim_end());
            done.push('\n');
            line = margin.to_owned();
        }
        line.push_str(word);
        line.push(' ');
    }
    done.push_str(&line[..line.len() - 1]);
    done[margin.len()..].to_owned()
}
