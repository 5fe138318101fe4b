//! What a rank tells the process that started it: frames in its control pipe.

/// What a frame tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The process runs; its number follows.
    Started,
    /// The function has returned; the value follows, from rank 0.
    Returned,
    /// The function, or joining the others, ended with an error; its text follows.
    Failed,
    /// The function panicked; the text follows.
    Panicked,
}

/// A message with the time it was sent at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: Kind,
    /// In nanoseconds on the machine's monotonic clock, which all processes share.
    pub(super) time: u64,
    pub(super) payload: Vec<u8>,
}

/// Kind, time and length of the payload.
const HEAD: usize = 1 + 8 + 8;

impl Kind {
    fn of(byte: u8) -> Option<Kind> {
        [Kind::Started, Kind::Returned, Kind::Failed, Kind::Panicked].into_iter().nth(byte.into())
    }
}

impl Message {
    /// A message of now.
    pub(super) fn new(kind: Kind, payload: Vec<u8>) -> Message {
        Message { kind, time: now(), payload }
    }

    /// The frame.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.kind as u8];
        bytes.extend_from_slice(&self.time.to_le_bytes());
        bytes.extend_from_slice(&(self.payload.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Takes the first whole frame out of `bytes`; `None` where it has not come yet.
    pub(super) fn take(bytes: &mut Vec<u8>) -> Option<Message> {
        let number = |from: usize| {
            let eight = bytes.get(from..from + 8)?;
            Some(u64::from_le_bytes(eight.try_into().ok()?))
        };
        let (time, length) = (number(1)?, usize::try_from(number(9)?).ok()?);
        let end = HEAD.checked_add(length).filter(|end| *end <= bytes.len())?;
        let kind = Kind::of(bytes[0])?;
        let payload = bytes[HEAD..end].to_vec();
        bytes.drain(..end);
        Some(Message { kind, time, payload })
    }

    /// The payload as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the system writes the time to where it may.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    part(time.tv_sec) * 1_000_000_000 + part(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_whole_and_in_order() {
        let first = Message::new(Kind::Started, vec![1, 2, 3]);
        let second = Message::new(Kind::Panicked, "grün".into());
        assert!(first.time <= second.time);
        let sent: Vec<u8> = [first.to_bytes(), second.to_bytes()].concat();
        let (mut got, mut buffer) = (Vec::new(), Vec::new());
        for byte in sent {
            buffer.push(byte);
            got.extend(Message::take(&mut buffer));
        }
        assert_eq!(got, [first, second.clone()]);
        assert!(buffer.is_empty());
        assert_eq!(second.text(), "grün");
    }
}
