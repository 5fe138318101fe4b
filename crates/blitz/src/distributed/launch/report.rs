//! torchrun's own report of a failure: the exit codes of the ranks.

/// The exit code of `rank` in torchrun's report; below 0, the signal that ended the process.
pub(super) fn exit_code(report: &str, rank: usize) -> Option<i32> {
    let lines: Vec<&str> = report.lines().map(str::trim).collect();
    let value = |line: &str, name: &str| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.split_whitespace().next().unwrap_or("").to_owned())
    };
    lines.windows(2).find_map(|pair| {
        let is_its = value(pair[0], "rank")?.parse() == Ok(rank);
        if is_its { value(pair[1], "exitcode")?.parse().ok() } else { None }
    })
}

/// What an exit code says, for a process that did not tell itself why it ended.
pub(super) fn described(code: Option<i32>) -> String {
    match code {
        Some(-9) => "its process was killed by signal 9 (SIGKILL); the system does so when \
                               memory runs out"
            .to_owned(),
        Some(signal @ ..0) => {
            let name = match -signal {
                libc::SIGSEGV => " (SIGSEGV, an invalid access to memory)",
                libc::SIGABRT => " (SIGABRT)",
                libc::SIGBUS => " (SIGBUS)",
                libc::SIGTERM => " (SIGTERM)",
                _ => "",
            };
            format!("its process was ended by signal {}{name}", -signal)
        }
        Some(code @ 1..) => {
            format!("its process ended with exit code {code} before the function returned")
        }
        Some(0) | None => "its process ended before the function returned (does it call \
                           `std::process::exit`?)"
            .to_owned(),
    }
}

/// The end of what torchrun said, where it failed itself.
pub(super) fn last_words(report: &str) -> String {
    let lines: Vec<&str> = report.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.last().map_or_else(|| "it said nothing".to_owned(), |line| (*line).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "\
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
/proc/1/exe FAILED
------------------------------------------------------------
Failures:
[1]:
  time      : 2026-11-29_06:20:00
  host      : localhost
  rank      : 0 (local_rank: 0)
  exitcode  : -6 (pid: 11)
------------------------------------------------------------
Root Cause (first observed failure):
[0]:
  time      : 2026-11-29_06:20:00
  host      : localhost
  rank      : 1 (local_rank: 1)
  exitcode  : -9 (pid: 12)
";

    #[test]
    fn exit_codes_are_found_by_rank() {
        assert_eq!(exit_code(REPORT, 0), Some(-6));
        assert_eq!(exit_code(REPORT, 1), Some(-9));
        assert_eq!(exit_code(REPORT, 2), None);
    }

    #[test]
    fn each_end_has_its_words() {
        assert!(described(Some(-9)).contains("signal 9"));
        assert!(described(Some(-11)).contains("signal 11 (SIGSEGV"));
        assert!(described(Some(3)).contains("exit code 3"));
        assert!(described(None).contains("before the function returned"));
        assert_eq!(last_words("a\nError: b\n\n"), "Error: b");
    }
}
