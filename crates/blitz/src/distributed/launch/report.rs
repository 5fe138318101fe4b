//! What torchrun says of a failure, in the words of [`blitz_contract::launcher`]'s script.

/// How `rank` ended, where it was the first to fail: `exit code 3` or `signal SIGKILL`.
pub(super) fn end_of(report: &str, rank: usize) -> Option<&str> {
    // Not translated: torchrun's words.
    let start = format!("rank {rank} ended first, with ");
    report.lines().find_map(|line| line.strip_prefix(&start))
}

/// What that says of a process which did not tell itself why it ended.
pub(super) fn described(end: Option<&str>) -> String {
    match end {
        // Not translated: torchrun's words.
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

/// The end of what torchrun said, where it failed itself.
pub(super) fn last_words(report: &str) -> String {
    let last = report.lines().map(str::trim).rfind(|line| !line.is_empty());
    last.map_or_else(|| "it said nothing".to_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_first_rank_is_found() {
        let report = "a warning\nrank 1 ended first, with signal SIGKILL\n";
        assert_eq!(end_of(report, 1), Some("signal SIGKILL"));
        assert_eq!(end_of(report, 0), None);
        assert_eq!(end_of("rank 11 ended first, with exit code 3", 1), None);
        assert_eq!(end_of("rank 11 ended first, with exit code 3", 11), Some("exit code 3"));
    }

    #[test]
    fn each_end_has_its_words() {
        assert!(described(Some("signal SIGKILL")).starts_with("its process was killed"));
        assert!(described(Some("exit code 3")).contains("exit code 3"));
        assert!(described(None).contains("before the function returned"));
        assert_eq!(last_words("a\nError: b\n\n"), "Error: b");
        assert_eq!(last_words(""), "it said nothing");
    }

    #[test]
    fn the_script_has_these_words() {
        let script = blitz_contract::launcher::SCRIPT;
        for words in ["rank {rank} ended first, with {how}", "exit code {", "signal {"] {
            assert!(script.contains(words), "{words}");
        }
    }
}
