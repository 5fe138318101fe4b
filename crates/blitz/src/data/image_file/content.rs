//! What a file is, by its first bytes.

use image::ImageFormat;

use super::{Fault, SAVE_ANEW};

/// The format of the file's content, where it is one that can be read here.
pub(super) fn format(bytes: &[u8]) -> Result<ImageFormat, Fault> {
    if bytes.is_empty() {
        return Err(Fault::new("the file is empty", "Copy or download it again."));
    }
    if let Some(name) = foreign(bytes) {
        return Err(Fault::new(format!("{name} cannot be read here"), SAVE_ANEW));
    }
    match image::guess_format(bytes) {
        Ok(format) if format.reading_enabled() => Ok(format),
        Ok(format) => Err(Fault::new(format!("{format:?} cannot be read here"), SAVE_ANEW)),
        Err(_) => Err(no_picture(bytes)),
    }
}

/// What cameras and browsers save beside JPEG.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    if bytes.get(4..8) != Some(b"ftyp") {
        return None;
    }
    match bytes.get(8..12)? {
        b"avif" | b"avis" => Some("AVIF"),
        b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1" => Some("HEIC (an iPhone's format)"),
        _ => Some("a film"),
    }
}

fn no_picture(bytes: &[u8]) -> Fault {
    let start = &bytes[..bytes.len().min(512)];
    let text = String::from_utf8_lossy(start).trim_start().to_lowercase();
    if text.starts_with("<!doctype html") || text.starts_with("<html") {
        let remedy = "Download the picture itself, not the page that shows it.";
        return Fault::new("it is a web page, whatever its name says", remedy);
    }
    // The end may be in the middle of a letter.
    let is_text = match std::str::from_utf8(start) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    let what = match is_text && !start.contains(&0) {
        true => "it is a text, whatever its name says",
        false => "its content is no picture of a known format",
    };
    Fault::new(what, "Put a picture there, or take the file away.")
}
