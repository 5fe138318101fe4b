//! Ending programs that nobody needs any more.

use std::fmt;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a waiting step looks whether another one has failed.
const CHECK: Duration = Duration::from_millis(50);

/// Ends what goes on side by side as soon as one part has failed, so that nobody waits for the rest.
#[derive(Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends the programs that were started with this.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether they are to be ended.
    pub fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits for `child`, and ends it when that is wanted.
    ///
    /// # Errors
    /// The system does not say how it ended.
    pub fn wait(&self, child: &mut Child) -> std::io::Result<ExitStatus> {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if self.is_wanted() {
                child.kill()?;
                return child.wait();
            }
            std::thread::sleep(CHECK);
        }
    }
}

/// A program was ended because another step failed.
#[derive(Debug)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ended, as another step failed")
    }
}

impl std::error::Error for Cancelled {}
