//! `cargo blitz test`: everything that CI checks.

mod check;
mod outcome;
mod programs;
mod python;
mod site;

use crate::notebook::data;
use crate::process::progress::elapsed;
use crate::project::Project;
use crate::setup;
use crate::usage::Usage;
use anyhow::{Result, bail};
use blitz_contract::variables::{self, BUILTIN_DATA};
use check::Check;
use clap::{Args, ValueEnum};
use outcome::Outcome;
use std::time::Instant;

/// Options of `test`.
#[derive(Args)]
pub struct TestOptions {
    /// Checks to run; all if none is named
    #[arg(value_enum, value_name = "CHECK")]
    pub checks: Vec<Check>,
    /// A directory with real CIFAR-10: also execute 04 on it and check the accuracy that it reports
    #[arg(long, value_name = "DIR", env = variables::DATA)]
    pub data: Option<String>,
}

/// Runs all checks, or those that are named, and fails where one did, after all have run.
///
/// # Errors
/// Set-up fails, or a check does.
pub fn test(project: &Project, options: &TestOptions) -> Result<()> {
    let data = data::resolve(options.data.as_deref())?.filter(|data| data != BUILTIN_DATA);
    let checks = chosen(&options.checks, data.is_some())?;
    setup::ensure(project)?;
    if data.is_none() && options.checks.is_empty() {
        eprintln!("No data directory given (--data DIR): 04 runs on the built-in set only.");
    }
    report(project, &checks, data.as_deref())
}

/// The checks to run, in their own order, whatever order they were named in.
fn chosen(named: &[Check], has_data: bool) -> Result<Vec<Check>> {
    if named.contains(&Check::Classifier) && !has_data {
        let message = "the check `classifier` needs a directory with real CIFAR-10: --data DIR";
        return Err(Usage(message.to_owned()).into());
    }
    let wanted = |check: &Check| match named {
        [] => match check {
            Check::Classifier => has_data,
            Check::GpuKit => false,
            _ => true,
        },
        named => named.contains(check),
    };
    Ok(Check::value_variants().iter().copied().filter(wanted).collect())
}

fn report(project: &Project, checks: &[Check], data: Option<&str>) -> Result<()> {
    let start = Instant::now();
    let (mut passed, mut failures, mut skipped) = (0, Vec::new(), Vec::new());
    for check in checks {
        let name = check.title();
        eprintln!("\n── {name}");
        let start = Instant::now();
        match check.run(project, data) {
            Ok(Outcome::Skipped(why)) => {
                eprintln!("– {name}: skipped");
                skipped.push(format!("{name}: {why}"));
            }
            Ok(Outcome::Passed) => {
                passed += 1;
                eprintln!("✓ {name} [{}]", elapsed(start.elapsed()));
            }
            Err(error) => {
                eprintln!("✗ {name} [{}]", elapsed(start.elapsed()));
                failures.push(format!("{name}: {error:#}"));
            }
        }
    }
    eprintln!("\nAll checks took {}.", elapsed(start.elapsed()));
    for skipped in &skipped {
        println!("skipped: {skipped}");
    }
    println!("{}", counts(passed, failures.len(), skipped.len()));
    if failures.is_empty() {
        return Ok(());
    }
    bail!("{} checks failed:\n  {}", failures.len(), failures.join("\n  "))
}

/// The last line, in a form that tools read.
fn counts(passed: usize, failed: usize, skipped: usize) -> String {
    let counts = format!("{passed} passed, {failed} failed");
    if skipped == 0 { counts } else { format!("{counts}, {skipped} skipped") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_skipped_is_counted() {
        assert_eq!(counts(3, 1, 0), "3 passed, 1 failed");
        assert_eq!(counts(3, 0, 1), "3 passed, 0 failed, 1 skipped");
    }

    #[test]
    fn checks_run_in_their_order_and_the_classifier_only_with_data() {
        let all = |has_data| chosen(&[], has_data).expect("some").len();
        assert_eq!(all(true), all(false) + 1);
        let some = chosen(&[Check::Stock, Check::Format], false).expect("two");
        assert_eq!(some, [Check::Format, Check::Stock]);
        let error = chosen(&[Check::Classifier], false).expect_err("no data");
        assert!(error.is::<Usage>() && error.to_string().contains("--data"), "{error}");
    }
}
