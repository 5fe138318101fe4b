//! Learning rates against torch.optim.lr_scheduler.
#![allow(clippy::unwrap_used)]

mod common;

use blitz::optim::schedule::{Length, Schedule};
use common::{floats, reference};
use serde_json::Value;

fn number(case: &Value, key: &str) -> f64 {
    case[key].as_f64().unwrap()
}

fn count(case: &Value, key: &str) -> usize {
    case[key].as_u64().unwrap() as usize
}

/// Compares the rates of each epoch, at its first and at its last step.
fn compare_epochs(schedule: Schedule, case: &Value) {
    let expected = floats(&case["rates"]);
    let length = Length { epochs: expected.len(), steps_per_epoch: 7 };
    schedule.check().unwrap();
    for (epoch, expected) in expected.iter().enumerate() {
        for step in [epoch * 7, epoch * 7 + 6] {
            let lr = schedule.lr(number(case, "base_lr"), step, length);
            // PyTorch computes the cosine from rate to rate, and adds up what that rounds.
            assert!((lr - expected).abs() < 1e-15, "{schedule:?} {epoch}: {lr} {expected}");
        }
    }
}

#[test]
fn rates_are_those_of_pytorch() {
    let reference = reference("schedule");
    for case in reference["step"].as_array().unwrap() {
        let schedule = Schedule::Step { every: count(case, "every"), gamma: number(case, "gamma") };
        compare_epochs(schedule, case);
    }
    for case in reference["cosine"].as_array().unwrap() {
        let schedule =
            Schedule::Cosine { epochs: count(case, "epochs"), min_lr: number(case, "min_lr") };
        compare_epochs(schedule, case);
    }
    for case in reference["one_cycle"].as_array().unwrap() {
        let or = |key: &str, default| case[key].as_f64().unwrap_or(default);
        let schedule = Schedule::OneCycle {
            max_lr: number(case, "max_lr"),
            pct_start: or("pct_start", 0.3),
            div_factor: or("div_factor", 25.0),
            final_div_factor: or("final_div_factor", 1e4),
        };
        schedule.check().unwrap();
        let length = Length {
            epochs: count(case, "epochs"),
            steps_per_epoch: count(case, "steps_per_epoch"),
        };
        let expected = floats(&case["rates"]);
        assert_eq!(expected.len(), length.epochs * length.steps_per_epoch);
        for (step, expected) in expected.iter().enumerate() {
            let lr = schedule.lr(123.0, step, length);
            assert!((lr - expected).abs() < 1e-16, "{schedule:?} step {step}: {lr} {expected}");
        }
    }
}

#[test]
fn one_cycle_has_pytorchs_defaults_and_takes_any_length() {
    let Schedule::OneCycle { pct_start, div_factor, final_div_factor, .. } =
        Schedule::one_cycle(0.1)
    else {
        panic!("another schedule");
    };
    assert_eq!([pct_start, div_factor, final_div_factor], [0.3, 25.0, 1e4]);
    for epochs in 0..4 {
        for steps_per_epoch in 0..4 {
            for pct_start in [0.0, 0.3, 0.5, 1.0] {
                let schedule =
                    Schedule::OneCycle { max_lr: 0.1, pct_start, div_factor, final_div_factor };
                for step in 0..20 {
                    let lr = schedule.lr(1.0, step, Length { epochs, steps_per_epoch });
                    assert!((0.0..=0.1).contains(&lr), "{epochs} {steps_per_epoch} {step}: {lr}");
                }
            }
        }
    }
}

#[test]
fn values_that_make_no_sense_are_named() {
    let one_cycle = |max_lr, pct_start, div_factor, final_div_factor| Schedule::OneCycle {
        max_lr,
        pct_start,
        div_factor,
        final_div_factor,
    };
    for (schedule, option) in [
        (Schedule::Step { every: 0, gamma: 0.1 }, "every"),
        (Schedule::Step { every: 1, gamma: -0.1 }, "gamma"),
        (Schedule::Step { every: 1, gamma: f64::NAN }, "gamma"),
        (Schedule::Cosine { epochs: 0, min_lr: 0.0 }, "epochs"),
        (Schedule::Cosine { epochs: 3, min_lr: -1.0 }, "min_lr"),
        (one_cycle(0.0, 0.3, 25.0, 1e4), "max_lr"),
        (one_cycle(0.1, 1.5, 25.0, 1e4), "pct_start"),
        (one_cycle(0.1, 0.3, 0.0, 1e4), "div_factor"),
        (one_cycle(0.1, 0.3, 25.0, f64::INFINITY), "final_div_factor"),
    ] {
        let text = schedule.check().unwrap_err().to_string();
        assert!(text.starts_with(&format!("option {option} must be")), "{text}");
    }
}
