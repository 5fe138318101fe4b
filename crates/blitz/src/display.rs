//! How a value reaches the notebook: evcxr reads blocks that a cell prints to standard output.
//!
//! See <https://github.com/evcxr/evcxr/blob/main/evcxr_jupyter/README.md#custom-output>.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The blocks that show a PNG picture with its text alternative, as evcxr expects them.
pub(crate) fn picture_blocks(png: &[u8], alt: &str) -> String {
    let png = block("image/png", &STANDARD.encode(png));
    let text = block("text/plain", alt);
    png + &text
}

/// Prints `blocks` in one locked write, so that no other thread's line lands inside them.
pub(crate) fn emit(blocks: &str) {
    let mut stdout = std::io::stdout().lock();
    // A closed standard output means that nobody is looking; there is nothing to report to.
    let _ = stdout.write_all(blocks.as_bytes()).and_then(|()| stdout.flush());
}

fn block(mime_type: &str, content: &str) -> String {
    format!("EVCXR_BEGIN_CONTENT {mime_type}\n{content}\nEVCXR_END_CONTENT\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_two_blocks() {
        assert_eq!(
            picture_blocks(&[0x89, b'P', b'N', b'G'], "A dot."),
            "EVCXR_BEGIN_CONTENT image/png\niVBORw==\nEVCXR_END_CONTENT\n\
             EVCXR_BEGIN_CONTENT text/plain\nA dot.\nEVCXR_END_CONTENT\n"
        );
    }
}
