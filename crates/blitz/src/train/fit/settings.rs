//! What a resumed training must have in common with the one before.

use super::options::FitOptions;
use crate::checkpoint::Saved;
use crate::error::{Error, Result};
use crate::optim::Optimizer;
use crate::optim::schedule::Schedule;

/// The options that decide what is computed, in words.
pub(super) struct Settings {
    pub(super) optimizer: String,
    pub(super) schedule: String,
    pub(super) report_every: usize,
}

impl Settings {
    pub(super) fn of(optimizer: &impl Optimizer, options: &FitOptions) -> Settings {
        // One cycle is as long as the training.
        let length = match options.schedule {
            Schedule::OneCycle { .. } => format!(" over {} epochs", options.epochs),
            _ => String::new(),
        };
        Settings {
            optimizer: optimizer.describe(),
            schedule: format!("{:?}{length}", options.schedule),
            report_every: options.report_every,
        }
    }

    /// Whether the checkpoint was made with the same ones.
    pub(super) fn check(&self, saved: &Saved) -> Result<()> {
        let report_every = self.report_every.to_string();
        let was = &saved.progress;
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        for (option, is, was) in [
            ("optimizer", &self.optimizer, text(&was["optimizer"])),
            ("schedule", &self.schedule, text(&was["schedule"])),
            ("report_every", &report_every, text(&was["report_every"])),
        ] {
            if *is != was {
                let expected = format!("{was}, as in the checkpoint");
                return Err(Error::option(option, expected, is));
            }
        }
        Ok(())
    }
}
