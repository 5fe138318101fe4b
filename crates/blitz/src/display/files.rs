//! Pictures of a plain program: saved to files, since a terminal shows none.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Bundle, frontend};
use crate::error::{Error, Result};

/// What is saved, with the ending of its file: the first form that a value has.
const FORMS: [(&str, &str); 3] =
    [("image/png", "png"), ("image/svg+xml", "svg"), ("text/html", "html")];

/// Numbered files in a directory.
#[derive(Debug)]
pub(crate) struct Files {
    dir: PathBuf,
    name: String,
    saved: AtomicUsize,
}

/// As standard output is the process's, so is where pictures go instead: whoever shows one, in
/// whatever function, does not know who reads.
static COLLECTED: OnceLock<Files> = OnceLock::new();

/// Saves to `files` whatever is shown from now on.
///
/// # Errors
///
/// [`Error::Option`] where there are some already.
pub(crate) fn collect(files: Files) -> Result<()> {
    let begun = || Error::option("begin", "called once, first in main", "a second call");
    COLLECTED.set(files).map_err(|_| begun())
}

/// Where this process saves pictures, if it does.
pub(super) fn collected() -> Option<&'static Files> {
    COLLECTED.get()
}

impl Files {
    /// Files `DIR/NAME-01.png`, `DIR/NAME-02.svg`, ….
    ///
    /// # Errors
    ///
    /// [`Error::Option`] for a name that is none of a file.
    pub(crate) fn new(dir: PathBuf, name: String) -> Result<Files> {
        if Path::new(&name).file_name().is_none_or(|whole| whole != name.as_str()) {
            return Err(Error::option("name", "the name of a file, without a directory", name));
        }
        Ok(Files { dir, name, saved: AtomicUsize::new(0) })
    }

    /// Saves what can be saved of `bundle`, and returns the lines for a person.
    pub(super) fn lines(&self, bundle: &Bundle) -> String {
        let line = frontend::line(bundle);
        let Some((ending, bytes)) = contents(bundle) else { return line };
        let number = self.saved.fetch_add(1, Ordering::Relaxed) + 1;
        let path = self.dir.join(format!("{}-{number:02}.{ending}", self.name));
        match fs::create_dir_all(&self.dir).and_then(|()| fs::write(&path, bytes)) {
            Ok(()) => format!("{line}saved as {}\n", path.display()),
            Err(error) => format!("{line}cannot be saved as {}: {error}\n", path.display()),
        }
    }
}

/// The contents of the file that shows `bundle`, and the ending of its name.
fn contents(bundle: &Bundle) -> Option<(&'static str, Vec<u8>)> {
    let form = |(mime_type, ending): &(&str, &'static str)| {
        let text = bundle.form(mime_type).and_then(Value::as_str)?;
        let bytes = match *ending {
            "png" => STANDARD.decode(text).ok()?,
            "html" => page(text).into_bytes(),
            _ => text.as_bytes().to_vec(),
        };
        Some((*ending, bytes))
    };
    FORMS.iter().find_map(form)
}

/// A part of a page as a page of its own.
fn page(html: &str) -> String {
    format!("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title></title>\n{html}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::{Html, Show, Svg, Text};
    use crate::picture::Picture;

    #[test]
    fn what_a_terminal_cannot_show_becomes_a_numbered_file() {
        let dir = tempfile::tempdir().unwrap();
        let pictures = dir.path().join("some").join("pictures");
        let files = Files::new(pictures.clone(), "page".to_owned()).unwrap();
        assert_eq!(files.lines(&Text("plain").bundle()), "plain\n");
        assert!(!pictures.exists(), "nothing was to be saved");

        let picture = Picture::from_rgb(2, 1, &[0; 6], "Two dots.".to_owned()).unwrap();
        let path = pictures.join("page-01.png");
        let said = files.lines(&picture.bundle());
        assert_eq!(said, format!("Two dots.\nsaved as {}\n", path.display()));
        assert_eq!(fs::read(path).unwrap(), picture.png());

        files.lines(&Svg("<svg><title>t</title></svg>").bundle());
        let svg = fs::read_to_string(pictures.join("page-02.svg")).unwrap();
        assert_eq!(svg, "<svg><title>t</title></svg>");

        let said = files.lines(&Html("<b>grün</b>").bundle());
        assert!(said.starts_with("grün\n"), "{said}");
        let html = fs::read_to_string(pictures.join("page-03.html")).unwrap();
        assert!(html.contains("utf-8") && html.contains("<b>grün</b>"), "{html}");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_said_and_no_panic() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let files = Files::new(file, "page".to_owned()).unwrap();
        let said = files.lines(&Svg("<svg/>").bundle());
        assert!(said.contains("cannot be saved as") && said.contains("page-01.svg"), "{said}");
    }

    #[test]
    fn a_name_is_that_of_a_file() {
        for name in ["", "..", "a/b", "/"] {
            let error = Files::new(PathBuf::new(), name.to_owned()).unwrap_err().to_string();
            assert!(error.contains("option name must be"), "{name}: {error}");
        }
    }
}
