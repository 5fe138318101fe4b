//! One file of a picture, decoded.

mod content;
mod jpeg;

use std::fs;
use std::io::{Cursor, ErrorKind};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use tch::Tensor;

use crate::data::transform::{Channels, brightness};
use crate::error::{Error, Result};

/// What PIL takes for a decompression bomb has 1.8 times as many.
const MOST_PIXELS: u64 = 100_000_000;
/// A file of more bytes holds no picture of [`MOST_PIXELS`].
const MOST_BYTES: u64 = 1 << 30;
const SAVE_ANEW: &str = "Open it in a picture program and save it as PNG or JPEG.";

/// Why a file cannot be read, and what helps.
pub(crate) struct Fault {
    reason: String,
    remedy: String,
}

impl Fault {
    fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault { reason: reason.into(), remedy: remedy.into() }
    }
}

/// The picture in the file at `path`, turned upright as its EXIF says: u8 `[1, C, H, W]` on the CPU.
/// The format is that of the content, whatever the name says; of a moving picture it is the first one.
pub(crate) fn read(path: &Path, channels: Channels) -> Result<Tensor> {
    decode(path).map(|image| tensor(&image, channels)).map_err(|Fault { reason, remedy }| {
        Error::Picture { path: path.to_owned(), reason, remedy }
    })
}

fn decode(path: &Path) -> Result<DynamicImage, Fault> {
    let bytes = bytes(path)?;
    let format = content::format(&bytes)?;
    if format == ImageFormat::Jpeg && !jpeg::is_complete(&bytes) {
        return Err(Fault::new(
            "the JPEG file is cut off before its end",
            "Copy or download it again.",
        ));
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    // 16 bits and four channels of each pixel.
    limits.max_alloc = Some(MOST_PIXELS * 8);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| undecoded(format, &error))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(Fault::new(
            format!("{width} x {height} are more than {MOST_PIXELS} pixels"),
            "Save it smaller.",
        ));
    }
    if width == 0 || height == 0 {
        return Err(Fault::new(format!("{width} x {height} pixels are none"), SAVE_ANEW));
    }
    // What has none, or one that makes no sense, stays as it is.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder);
    let mut image = image.map_err(|error| undecoded(format, &error))?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn bytes(path: &Path) -> Result<Vec<u8>, Fault> {
    let unread = |error: std::io::Error| {
        let remedy = match (error.kind(), std::env::current_dir()) {
            (ErrorKind::NotFound, Ok(here)) if path.is_relative() => {
                format!("Paths are looked for from {}.", here.display())
            }
            (ErrorKind::NotFound, _) => "Check its name; a link may lead nowhere.".to_owned(),
            _ => "Check that you may read it.".to_owned(),
        };
        Fault::new(error.to_string(), remedy)
    };
    let metadata = fs::metadata(path).map_err(unread)?;
    if !metadata.is_file() {
        let kind = if metadata.is_dir() { "a folder" } else { "not a file" };
        return Err(Fault::new(format!("it is {kind}"), "Name a file."));
    }
    if metadata.len() > MOST_BYTES {
        let reason = format!("{} bytes are more than {MOST_BYTES}", metadata.len());
        return Err(Fault::new(reason, "Save it smaller."));
    }
    fs::read(path).map_err(unread)
}

fn undecoded(format: ImageFormat, error: &image::ImageError) -> Fault {
    let reason = format!("its {format:?} data cannot be decoded ({error})");
    match error {
        image::ImageError::Limits(_) => Fault::new(reason, "Save it smaller."),
        image::ImageError::Unsupported(_) => Fault::new(reason, SAVE_ANEW),
        _ => Fault::new(reason, "It is damaged or cut off: copy or download it again."),
    }
}

/// Colours last, as they come, become `[1, C, H, W]`: a view for RGB.
fn tensor(image: &DynamicImage, channels: Channels) -> Tensor {
    let rgb = match image {
        DynamicImage::ImageRgb8(rgb) => rgb,
        other => &other.to_rgb8(),
    };
    let (height, width) = (i64::from(rgb.height()), i64::from(rgb.width()));
    match channels {
        Channels::Rgb => Tensor::from_slice(rgb).view([1, height, width, 3]).permute([0, 3, 1, 2]),
        Channels::Grey => {
            let grey: Vec<u8> = rgb.pixels().map(|pixel| brightness(pixel.0)).collect();
            Tensor::from_slice(&grey).view([1, 1, height, width])
        }
    }
}
