//! Whether all ranks have built the same net.

use tch::Tensor;

use super::process_group::ProcessGroup;
use crate::error::Result;

/// Compares what each rank's store holds, and how it was wrapped (`first`), with those of rank 0.
///
/// # Errors
///
/// [`Error::Process`](crate::Error::Process) on all ranks, where one of them differs.
pub(super) fn check(
    operation: &'static str,
    group: &ProcessGroup,
    first: &str,
    variables: &[(String, Tensor)],
) -> Result<()> {
    let line = |(name, tensor): &(String, Tensor)| {
        let trained = if tensor.requires_grad() { "trained" } else { "not trained" };
        format!("{name}\t{:?} {:?}, {trained}", tensor.kind(), tensor.size())
    };
    let lines = std::iter::once(first.to_owned()).chain(variables.iter().map(line));
    let own = lines.collect::<Vec<_>>().join("\n");
    let all = group.all_gather_text(operation, &own)?;
    let others = all.iter().enumerate();
    match others.into_iter().find_map(|(rank, other)| difference(&all[0], other, rank)) {
        Some(reason) => {
            let remedy = "Build the same net with the same options on every rank.";
            Err(group.disagreement(operation, reason, remedy))
        }
        None => Ok(()),
    }
}

/// The first that differs.
fn difference(first: &str, other: &str, rank: usize) -> Option<String> {
    if first == other {
        return None;
    }
    let table = |text: &str| -> Vec<(String, String)> {
        let pairs = text.lines().filter_map(|line| line.split_once('\t'));
        pairs.map(|(name, what)| (name.to_owned(), what.to_owned())).collect()
    };
    let (first, other) = (table(first), table(other));
    let of = |table: &[(String, String)], name: &str| {
        table.iter().find(|(known, _)| known == name).map(|(_, what)| what.clone())
    };
    for (name, what) in &first {
        match of(&other, name) {
            None => return Some(format!("rank {rank} has no {name}, rank 0 has {what}")),
            Some(its) if its != *what => {
                return Some(format!("{name} is {its} on rank {rank} and {what} on rank 0"));
            }
            Some(_) => {}
        }
    }
    let extra = other.iter().find(|(name, _)| of(&first, name).is_none());
    if let Some((name, what)) = extra {
        return Some(format!("rank {rank} has {name} ({what}), rank 0 has not"));
    }
    // The gradients travel by position.
    let differ = first.iter().zip(&other).find(|(first, other)| first != other);
    differ.map(|((first, _), (other, _))| {
        format!("rank {rank} makes {other} where rank 0 makes {first}: in another order")
    })
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn the_first_difference_is_named() {
        let first = "the wrapper\tA\nfc1\tFloat [2]\nfc2\tFloat [2]";
        assert_eq!(difference(first, first, 1), None);
        for (other, expected) in [
            (
                "the wrapper\tB\nfc1\tFloat [2]\nfc2\tFloat [2]",
                "the wrapper is B on rank 1 and A on rank 0",
            ),
            ("the wrapper\tA\nfc1\tFloat [3]\nfc2\tFloat [2]", "fc1 is Float [3] on rank 1"),
            ("the wrapper\tA\nfc1\tFloat [2]", "rank 1 has no fc2, rank 0 has Float [2]"),
            (
                "the wrapper\tA\nfc1\tFloat [2]\nfc2\tFloat [2]\nfc3\tInt [1]",
                "rank 1 has fc3 (Int [1])",
            ),
            (
                "the wrapper\tA\nfc2\tFloat [2]\nfc1\tFloat [2]",
                "rank 1 makes fc2 where rank 0 makes fc1",
            ),
        ] {
            let found = difference(first, other, 1).expect(expected);
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
