//! How processes end, in words.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// `exit code 3` or `signal SIGKILL`.
pub(super) fn name(status: ExitStatus) -> String {
    // Not translated: the system's words.
    const SIGNALS: [(i32, &str); 6] = [
        (libc::SIGABRT, "SIGABRT"),
        (libc::SIGBUS, "SIGBUS"),
        (libc::SIGILL, "SIGILL"),
        (libc::SIGKILL, "SIGKILL"),
        (libc::SIGSEGV, "SIGSEGV"),
        (libc::SIGTERM, "SIGTERM"),
    ];
    let Some(signal) = status.signal() else {
        return format!("exit code {}", status.code().unwrap_or_default());
    };
    match SIGNALS.iter().find(|(number, _)| *number == signal) {
        Some((_, name)) => format!("signal {name}"),
        None => format!("signal {signal}"),
    }
}

/// What a [`name`] says of a process which did not tell itself why it ended.
pub(super) fn described(end: Option<&str>) -> String {
    match end {
        // Not translated: the system's word.
        Some("signal SIGKILL") => {
            "its process was killed (signal SIGKILL); the system does so when \
                                   memory runs out"
                .to_owned()
        }
        Some(end) => format!("its process ended, with {end}, before the function returned"),
        None => "its process ended before the function returned (does it call \
                 `std::process::exit`?)"
            .to_owned(),
    }
}

/// The end of what they said before they had their pipes.
pub(super) fn last_words(report: &str) -> String {
    let last = report.lines().map(str::trim).rfind(|line| !line.is_empty());
    last.map_or_else(|| "it said nothing".to_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_its_words() {
        assert!(described(Some("signal SIGKILL")).starts_with("its process was killed"));
        assert!(described(Some("exit code 3")).contains("exit code 3"));
        assert!(described(None).contains("before the function returned"));
        assert_eq!(name(ExitStatus::from_raw(3 << 8)), "exit code 3");
        assert_eq!(name(ExitStatus::from_raw(9)), "signal SIGKILL");
        assert_eq!(name(ExitStatus::from_raw(64)), "signal 64");
        assert_eq!(last_words("a\nError: b\n\n"), "Error: b");
        assert_eq!(last_words(""), "it said nothing");
    }
}
