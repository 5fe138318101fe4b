//! How far a piece of work is: counts, rate, time left, and the words for them.

use std::time::Duration;

use crate::language::told;

/// Stands between the parts of a line: of no language, as a comma would be.
pub(super) const BETWEEN: &str = " · ";

/// Counts of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meter {
    /// Steps in all, where that is known.
    pub(super) total: Option<u64>,
    /// Steps done.
    pub(super) done: u64,
}

/// Whether the work goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Running,
    Ended,
}

impl Meter {
    /// Whether all steps are done; never where their number is not known.
    pub(super) fn is_complete(&self) -> bool {
        self.total.is_some_and(|total| self.done >= total)
    }

    /// Whole percents, 100 only where all is done.
    pub(super) fn percent(&self) -> Option<u64> {
        let total = self.total?;
        let percent = u128::from(self.done) * 100 / u128::from(total.max(1));
        Some(if self.is_complete() { 100 } else { percent as u64 })
    }

    /// Steps per second since the beginning; `None` before the first.
    pub(super) fn rate(&self, elapsed: Duration) -> Option<f64> {
        (self.done > 0 && !elapsed.is_zero()).then(|| self.done as f64 / elapsed.as_secs_f64())
    }

    /// The time that the remaining steps take at this rate.
    pub(super) fn left(&self, elapsed: Duration) -> Option<Duration> {
        let remaining = self.total?.saturating_sub(self.done);
        Duration::try_from_secs_f64(remaining as f64 / self.rate(elapsed)?).ok()
    }

    /// `450/1000 steps (45 %) · 150 steps/s · 0:03 elapsed · 0:04 left`.
    pub(super) fn words(&self, unit: &str, elapsed: Duration, stage: Stage) -> String {
        let mut words = vec![match (self.total, self.percent()) {
            (Some(total), Some(percent)) => {
                format!("{}/{total} {unit} ({percent} %)", self.done)
            }
            _ => format!("{} {unit}", self.done),
        }];
        words.extend(self.rate(elapsed).map(|rate| format!("{} {unit}/s", significant(rate))));
        words.push(told(&format!("{} elapsed", minutes(elapsed))));
        match (stage, self.left(elapsed)) {
            (Stage::Running, Some(left)) if !self.is_complete() => {
                words.push(told(&format!("{} left", minutes(left))));
            }
            (Stage::Ended, _) if self.total.is_some() && !self.is_complete() => {
                words.push(told("stopped"));
            }
            _ => {}
        }
        words.join(BETWEEN)
    }
}

/// About three digits.
fn significant(value: f64) -> String {
    let decimals = match value {
        value if value < 10.0 => 2,
        value if value < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// `3:07`, or `2:03:07` from an hour on; rounded down.
fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn rate_and_time_left_follow_from_the_steps_done() {
        let meter = Meter { total: Some(1_000), done: 450 };
        assert_eq!(meter.rate(3 * SECOND), Some(150.0));
        // 550 steps at 150 a second.
        let left = meter.left(3 * SECOND).unwrap().as_secs_f64();
        assert!((left - 550.0 / 150.0).abs() < 1e-6, "{left}");
        assert_eq!(
            meter.words("steps", 3 * SECOND, Stage::Running),
            "450/1000 steps (45 %) · 150 steps/s · 0:03 elapsed · 0:03 left"
        );
    }

    #[test]
    fn nothing_is_guessed_before_the_first_step() {
        let meter = Meter { total: Some(5), done: 0 };
        assert_eq!((meter.rate(SECOND), meter.left(SECOND)), (None, None));
        let first = Meter { total: Some(5), done: 1 };
        assert_eq!(first.rate(Duration::ZERO), None);
        assert_eq!(meter.words("steps", SECOND, Stage::Running), "0/5 steps (0 %) · 0:01 elapsed");
    }

    #[test]
    fn percents_are_rounded_down_and_end_at_100() {
        let percent = |done, total| Meter { total: Some(total), done }.percent();
        assert_eq!(percent(999, 1_000), Some(99));
        assert_eq!(percent(7, 7), Some(100));
        assert_eq!(percent(9, 7), Some(100));
        assert_eq!(percent(0, 0), Some(100));
        assert_eq!(percent(u64::MAX - 1, u64::MAX), Some(99));
        assert_eq!(Meter { total: None, done: 3 }.percent(), None);
    }

    #[test]
    fn the_end_is_told_from_a_stop() {
        let words = |total, done, stage| Meter { total, done }.words("rows", 90 * SECOND, stage);
        assert_eq!(
            words(Some(9), 9, Stage::Ended),
            "9/9 rows (100 %) · 0.10 rows/s · 1:30 elapsed"
        );
        assert_eq!(
            words(Some(18), 9, Stage::Ended),
            "9/18 rows (50 %) · 0.10 rows/s · 1:30 elapsed · stopped"
        );
        assert_eq!(words(None, 9, Stage::Running), "9 rows · 0.10 rows/s · 1:30 elapsed");
        assert_eq!(words(None, 9, Stage::Ended), "9 rows · 0.10 rows/s · 1:30 elapsed");
    }

    #[test]
    fn numbers_are_short() {
        let rates = [0.123, 9.87, 12.34, 123.4, 12_345.6].map(significant);
        assert_eq!(rates, ["0.12", "9.87", "12.3", "123", "12346"]);
        assert_eq!(minutes(Duration::from_millis(59_999)), "0:59");
        assert_eq!(minutes(3_600 * 2 * SECOND + 187 * SECOND), "2:03:07");
        assert_eq!(minutes(100 * 3_600 * SECOND), "100:00:00");
    }
}
