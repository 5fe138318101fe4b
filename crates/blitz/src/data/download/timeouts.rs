//! How long a download waits.

use std::time::Duration;

/// How long a download waits, and how often it tries, before it gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the server's name to be found and, again, for the connection to stand; 5 s.
    pub connect: Duration,
    /// For the answer to begin and, again, for each further piece; 30 s.
    pub read: Duration,
    /// Connections in a row that bring nothing new before it gives up, at least 1; 3. A server
    /// that cannot be reached at all is tried once, so that nobody without a network waits.
    pub tries: u32,
    /// From a broken connection to the next; 1 s, and twice as long each further time.
    pub pause: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(30),
            tries: 3,
            pause: Duration::from_secs(1),
        }
    }
}
