//! What c10d says when another process of the training is gone.

/// What has become of another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// It has ended.
    Ended,
    /// It did not come to a call in time.
    Late,
}

/// Beginnings of gloo's, TCPStore's and the system's words for a connection that the other end closed.
// Not translated: other programs' words.
const ENDED: [&str; 7] = [
    "Connection closed by peer",
    "Connection reset by peer",
    "Broken pipe",
    "Connection was likely closed",
    "ailed to recv",
    "ailed to send",
    "Socket closed",
];
/// gloo's for one that did not come. Other things time out, too, such as a kernel on a GPU.
// Not translated: as above.
const LATE: &str = "Timed out waiting";

/// What an error says, in our words, before c10d's own.
pub(crate) const HAS_ENDED: &str = "another process has ended";
const WHOSE_OWN: &str = ", whose own message says why";
const IS_LATE: &str = "the other ranks did not come to this step in time";

/// What the message says of another process; `None` where it has another cause.
pub(crate) fn of_peer(message: &str) -> Option<Peer> {
    let has = |words: &[&str]| words.iter().any(|words| message.contains(words));
    match (has(&ENDED), has(&[LATE])) {
        (true, _) => Some(Peer::Ended),
        (false, true) => Some(Peer::Late),
        (false, false) => None,
    }
}

/// Whether an error, in our words, tells of a process that has ended.
pub(crate) fn tells_of_an_end(text: &str) -> bool {
    text.contains(HAS_ENDED)
}

/// What a backward pass, which averages gradients over all ranks, says of the others. It knows
/// neither its rank nor that there are others.
pub(super) fn told_in_backward(message: String) -> String {
    match of_peer(&message) {
        Some(Peer::Ended) => format!("{HAS_ENDED}{WHOSE_OWN} ({message})"),
        Some(Peer::Late) if message.starts_with(LATE) => format!("{IS_LATE} ({message})"),
        _ => message,
    }
}

/// c10d's words within what [`told_in_backward`] made of them.
pub(crate) fn c10ds_own(message: &str) -> &str {
    let ended = || message.strip_prefix(HAS_ENDED)?.strip_prefix(WHOSE_OWN);
    let told = message.strip_prefix(IS_LATE).or_else(ended);
    let own = told.and_then(|rest| rest.strip_prefix(" (")?.strip_suffix(')'));
    own.unwrap_or(message)
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
        assert_eq!(of_peer(text), Some(Peer::Ended));
        assert_eq!(without_place("[2, 3] is no shape"), "[2, 3] is no shape");
    }

    #[test]
    fn a_backward_pass_tells_of_other_ranks() {
        let told = told_in_backward("Connection closed by peer [127.0.0.1]:10385".to_owned());
        assert!(told.starts_with("another process has ended, whose own"), "{told}");
        assert_eq!(c10ds_own(&told), "Connection closed by peer [127.0.0.1]:10385");
        let told = told_in_backward("Timed out waiting 20000ms for recv".to_owned());
        assert!(told.starts_with("the other ranks did not come"), "{told}");
        assert_eq!(c10ds_own(&told), "Timed out waiting 20000ms for recv");
        assert_eq!(of_peer(&told), Some(Peer::Late));
        assert_eq!(told_in_backward("size 2 is odd".to_owned()), "size 2 is odd");
        assert_eq!(c10ds_own("size 2 is odd"), "size 2 is odd");
        assert_eq!(of_peer("size 2 is odd"), None);
        assert_eq!(of_peer("the launch timed out and was terminated"), None);
    }
}
