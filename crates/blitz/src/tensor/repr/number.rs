//! Numbers as text. Python's `_Formatter`, and what Python's own formatting does.

use super::options::ReprOptions;

/// How all floating-point numbers of a tensor are printed: whether as integers (`1.`), with digits
/// (`1.5000`) or in scientific form (`1.5000e+00`), and how wide.
pub(super) struct Formatter {
    form: Form,
    precision: usize,
    pub(super) width: usize,
}

#[derive(Clone, Copy)]
enum Form {
    Integer,
    Digits,
    Scientific,
}

impl Formatter {
    /// Chosen from the numbers that are neither 0 nor infinite nor NaN.
    pub(super) fn of(values: impl Iterator<Item = f64>, options: &ReprOptions) -> Formatter {
        let precision = usize::from(options.precision);
        let counted: Vec<f64> = values.filter(|value| value.is_finite() && *value != 0.0).collect();
        if counted.is_empty() {
            return Formatter { form: Form::Integer, precision, width: 1 };
        }
        let largest = counted.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        let smallest = counted.iter().fold(f64::MAX, |least, value| least.min(value.abs()));
        let spreads = largest / smallest > 1000.0 || largest > 1.0e8 || smallest < 1.0e-4;
        let form = if options.sci_mode.unwrap_or(spreads) {
            Form::Scientific
        } else if counted.iter().all(|value| value.ceil() == *value) {
            Form::Integer
        } else {
            Form::Digits
        };
        let mut formatter = Formatter { form, precision, width: 1 };
        let widths = counted.iter().map(|&value| formatter.bare(value).len());
        formatter.width = widths.max().unwrap_or(1);
        formatter
    }

    /// The number, padded on the left to the common width.
    pub(super) fn format(&self, value: f64) -> String {
        let width = self.width;
        format!("{:>width$}", self.bare(value))
    }

    fn bare(&self, value: f64) -> String {
        let precision = self.precision;
        if value.is_nan() {
            return "nan".to_owned();
        }
        if value.is_infinite() {
            return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
        }
        match self.form {
            Form::Integer => format!("{value:.0}."),
            Form::Digits => format!("{value:.precision$}"),
            Form::Scientific => long_exponent(&format!("{value:.precision$e}")),
        }
    }
}

/// A number as Python's `str` prints it: the fewest digits that stand for it.
pub(crate) fn python_float(value: f64) -> String {
    let size = value.abs();
    match size == 0.0 || (1e-4..1e16).contains(&size) {
        true => format!("{value:?}"),
        false => long_exponent(&format!("{value:e}")),
    }
}

/// Python's exponents have a sign and at least two digits.
pub(super) fn long_exponent(text: &str) -> String {
    let Some((digits, exponent)) = text.split_once('e') else { return text.to_owned() };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_as_pythons_str_prints_them() {
        let cases = [
            (0.1, "0.1"),
            (1.0, "1.0"),
            (0.0, "0.0"),
            (1e-4, "0.0001"),
            (2.5e-5, "2.5e-05"),
            (1e16, "1e+16"),
            (1e-123, "1e-123"),
            (-0.75, "-0.75"),
        ];
        for (value, expected) in cases {
            assert_eq!(python_float(value), expected);
        }
    }

    #[test]
    fn ties_go_to_the_even_digit() {
        let options = ReprOptions { precision: 2, ..Default::default() };
        let formatter = Formatter::of([0.125, 0.375, 2.5].into_iter(), &options);
        let printed = [0.125, 0.375, 2.5].map(|value| formatter.format(value));
        assert_eq!(printed, ["0.12", "0.38", "2.50"]);
    }
}
