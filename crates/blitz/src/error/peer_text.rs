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
}
