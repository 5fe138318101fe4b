//! Whether a JPEG file is whole.

/// Whether the file goes on to its end marker. The decoder fills up with grey what is missing, where
/// PIL says that the file is truncated.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(&[byte, code]) = bytes.get(at..at + 2) {
        at += match (byte, code) {
            (0xff, 0xd9) => return true,
            // A fill byte, or a byte of the entropy-coded data.
            (0xff, 0xff) | (..0xff, _) => 1,
            // A stuffed byte, and the markers without a segment.
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => 2,
            // Segments may hold a small picture with an end of its own.
            (0xff, _) => match bytes.get(at + 2..at + 4) {
                Some(&[high, low]) => 2 + usize::from(u16::from_be_bytes([high, low])),
                _ => return false,
            },
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_marker_of_the_picture_itself_counts() {
        // Start, a segment that holds an end marker, a scan with a stuffed byte and a restart.
        let whole = [
            &[0xff, 0xd8, 0xff, 0xe1, 0, 6, 0xff, 0xd8, 0xff, 0xd9][..],
            &[0xff, 0xda, 0, 3, 1, 17, 0xff, 0, 0xff, 0xd0, 5, 0xff, 0xff, 0xd9],
        ]
        .concat();
        assert!(is_complete(&whole));
        for length in 0..whole.len() {
            assert!(!is_complete(&whole[..length]), "{length}");
        }
        assert!(is_complete(&[&whole[..], b"more"].concat()));
    }
}
