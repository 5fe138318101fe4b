//! The regions that a teacher marks within a cell's source.

use std::fmt;

/// What begins a region, and what ends it. A line that holds one of them is the marker's alone.
pub struct Markers {
    /// Where it begins.
    pub begin: &'static str,
    /// Where it ends.
    pub end: &'static str,
}

/// What a learner is to write.
pub const SOLUTION: Markers = Markers { begin: "// BEGIN SOLUTION", end: "// END SOLUTION" };
/// Checks that a learner does not see.
pub const HIDDEN_TESTS: Markers =
    Markers { begin: "// BEGIN HIDDEN TESTS", end: "// END HIDDEN TESTS" };
/// How a teacher gives marks by hand.
pub const MARK_SCHEME: Markers = Markers { begin: "BEGIN MARK SCHEME", end: "END MARK SCHEME" };

/// Within a solution: what stands behind it, as comments, takes the solution's place.
const INSTEAD: &str = "// INSTEAD";

/// A line that cannot be meant so.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its number in the cell, from 1.
    pub line: usize,
    reason: String,
}

impl Fault {
    /// The first region of `source` stands in a cell that is not marked as one of its kind.
    pub fn misplaced(source: &str, markers: &Markers, mark: &str) -> Fault {
        let place = source.split('\n').position(|line| line.contains(markers.begin));
        let reason = format!(
            "`{}` in a cell whose metadata do not say `\"nbgrader\": {{\"{mark}\": true, …}}`",
            markers.begin
        );
        Fault { line: place.unwrap_or(0) + 1, reason }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.reason)
    }
}

/// Puts what `replace` makes of a region's lines, and of its indentation, in the place of each region
/// with its markers. `None` where `source` has no region.
///
/// # Errors
/// A region within another one, one without an end, or an end without a region.
pub fn replace(
    source: &str,
    markers: &Markers,
    replace: impl Fn(&str, &[&str]) -> Vec<String>,
) -> Result<Option<String>, Fault> {
    let fault = |index: usize, reason: String| Fault { line: index + 1, reason };
    let Markers { begin, end } = markers;
    let all: Vec<&str> = source.split('\n').collect();
    let (mut lines, mut began) = (Vec::new(), None);
    let mut found = false;
    for (index, line) in all.iter().enumerate() {
        match began {
            None if line.contains(begin) => began = Some(index),
            None if line.contains(end) => {
                return Err(fault(index, format!("`{end}` without a `{begin}` above it")));
            }
            None => lines.push((*line).to_owned()),
            Some(first) if line.contains(begin) => {
                let reason = format!(
                    "`{begin}` within the region that begins in line {}; end that with `{end}` first",
                    first + 1
                );
                return Err(fault(index, reason));
            }
            Some(first) if line.contains(end) => {
                lines.extend(replace(indentation(all[first]), &all[first + 1..index]));
                (began, found) = (None, true);
            }
            Some(_) => {}
        }
    }
    match began {
        Some(first) => Err(fault(first, format!("`{begin}` without a `{end}` below it"))),
        None => Ok(found.then(|| lines.join("\n"))),
    }
}

/// What a learner finds in a solution's place: what stands behind `// INSTEAD` without its comment
/// marks, else `stub`.
pub fn instead(indentation: &str, region: &[&str], stub: &str) -> Vec<String> {
    let Some(place) = region.iter().position(|line| line.contains(INSTEAD)) else {
        return vec![format!("{indentation}{stub}")];
    };
    let commented = region[place + 1..].iter().filter(|line| !line.trim().is_empty());
    commented.map(|line| uncommented(line)).collect()
}

/// The solution alone, without what would stand instead.
pub fn solution(_indentation: &str, region: &[&str]) -> Vec<String> {
    let solution = region.iter().take_while(|line| !line.contains(INSTEAD));
    solution.map(|line| (*line).to_owned()).collect()
}

/// Nothing.
pub fn nothing(_indentation: &str, _region: &[&str]) -> Vec<String> {
    Vec::new()
}

fn uncommented(line: &str) -> String {
    let (indentation, rest) = line.split_at(indentation(line).len());
    match rest.strip_prefix("//") {
        Some(rest) => format!("{indentation}{}", rest.strip_prefix(' ').unwrap_or(rest)),
        None => line.to_owned(),
    }
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUB: &str = "todo!(\"write this\")";
    const SIZE: &str =
        "fn half(x: i64) -> i64 {\n    // BEGIN SOLUTION\n    x / 2\n    // END SOLUTION\n}";

    fn learners(source: &str) -> String {
        let written = |indentation: &str, region: &[&str]| instead(indentation, region, STUB);
        replace(source, &SOLUTION, written).expect("balanced").expect("a region")
    }

    #[test]
    fn a_solution_makes_way_for_a_stub_or_for_what_stands_instead() {
        assert_eq!(learners(SIZE), "fn half(x: i64) -> i64 {\n    todo!(\"write this\")\n}");
        let instead = "    // INSTEAD\n    // // half, you say?\n    //     let y = x;\n\n    //\n    \
                       // todo!(\"half of {y}\")\n    // END";
        let source = SIZE.replace("    // END", instead);
        assert_eq!(
            learners(&source),
            "fn half(x: i64) -> i64 {\n    // half, you say?\n        let y = x;\n    \n    \
             todo!(\"half of {y}\")\n}"
        );
        let shown = replace(&source, &SOLUTION, solution).expect("balanced");
        assert_eq!(shown.as_deref(), Some("fn half(x: i64) -> i64 {\n    x / 2\n}"));
    }

    #[test]
    fn every_region_is_replaced_and_a_source_without_one_is_left_alone() {
        let two = "a\n// BEGIN HIDDEN TESTS\nb\n// END HIDDEN TESTS\nc\n  // BEGIN HIDDEN TESTS\n  \
                   // END HIDDEN TESTS (for now)\nd";
        let shown = replace(two, &HIDDEN_TESTS, nothing).expect("balanced");
        assert_eq!(shown.as_deref(), Some("a\nc\nd"));
        assert_eq!(replace("a\nb", &SOLUTION, nothing), Ok(None));
    }

    #[test]
    fn what_does_not_fit_together_is_named_with_its_line() {
        let told = |source: &str| replace(source, &SOLUTION, nothing).expect_err("no").to_string();
        assert_eq!(
            told("a\n// BEGIN SOLUTION\nb"),
            "line 2: `// BEGIN SOLUTION` without a `// END SOLUTION` below it"
        );
        assert_eq!(
            told("a\nb\n// END SOLUTION"),
            "line 3: `// END SOLUTION` without a `// BEGIN SOLUTION` above it"
        );
        let nested = told("// BEGIN SOLUTION\n{\n// BEGIN SOLUTION\n}\n// END SOLUTION");
        assert!(
            nested
                .starts_with("line 3: `// BEGIN SOLUTION` within the region that begins in line 1")
        );
    }
}
