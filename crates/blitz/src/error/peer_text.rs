//! What c10d says when another process of the training is gone.

/// Beginnings of gloo's, TCPStore's and the system's words for a connection that the other end closed.
const GONE: [&str; 7] = [
    "Connection closed by peer",
    "Connection reset by peer",
    "Broken pipe",
    "Connection was likely closed",
    "ailed to recv",
    "ailed to send",
    "Socket closed",
];

/// Whether the message tells of a process that has ended.
pub(crate) fn is_gone(message: &str) -> bool {
    GONE.iter().any(|words| message.contains(words))
}

/// What is said before gloo's own words, where nothing is known of ranks.
const ENDED: &str = "another process of the training has ended, whose own message says why";
const LATE: &str = "the other ranks did not come to this step in time";

/// What a backward pass, which averages gradients over all ranks, says of the others. It knows
/// neither its rank nor that there are others.
pub(super) fn told_in_backward(message: String) -> String {
    if is_gone(&message) {
        format!("{ENDED} ({message})")
    } else if message.starts_with("Timed out waiting") {
        format!("{LATE} ({message})")
    } else {
        message
    }
}

/// gloo's words within what [`told_in_backward`] made of them.
pub(crate) fn gloos_own(message: &str) -> &str {
    let told = message.strip_prefix(ENDED).or_else(|| message.strip_prefix(LATE));
    let own = told.and_then(|rest| rest.strip_prefix(" (")?.strip_suffix(')'));
    own.unwrap_or(message)
}

/// Whether it tells of one that has ended, or that did not come.
pub(crate) fn is_of_others(message: &str) -> bool {
    is_gone(message) || message.contains("Timed out waiting")
}

/// The message without the place in gloo's source that it begins with:
/// `[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:538] Connection closed by peer`.
pub(super) fn without_place(text: &str) -> &str {
    match text.split_once("] ") {
        Some((place, rest)) if place.starts_with('[') && place.contains(".cc:") => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gloos_words_are_kept_without_their_place() {
        let text = "[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:538] Connection closed \
                    by peer [127.0.0.1]:10385";
        assert_eq!(without_place(text), "Connection closed by peer [127.0.0.1]:10385");
        assert!(is_gone(text));
        assert_eq!(without_place("[2, 3] is no shape"), "[2, 3] is no shape");
    }

    #[test]
    fn a_backward_pass_tells_of_other_ranks() {
        let told = told_in_backward("Connection closed by peer [127.0.0.1]:10385".to_owned());
        assert!(told.starts_with("another process of the training has ended"), "{told}");
        assert_eq!(gloos_own(&told), "Connection closed by peer [127.0.0.1]:10385");
        let told = told_in_backward("Timed out waiting 20000ms for recv".to_owned());
        assert!(told.starts_with("the other ranks did not come"), "{told}");
        assert_eq!(gloos_own(&told), "Timed out waiting 20000ms for recv");
        assert_eq!(told_in_backward("size 2 is odd".to_owned()), "size 2 is odd");
        assert_eq!(gloos_own("size 2 is odd"), "size 2 is odd");
    }
}
