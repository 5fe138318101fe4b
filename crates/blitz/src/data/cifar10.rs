//! CIFAR-10: 60,000 colour pictures of 32 x 32 pixels in ten classes (Krizhevsky, 2009).
//!
//! [`Cifar10::load`] finds the data: in a directory you name, in the cache, on the network, or,
//! where none of these is to be had, in a small drawn stand-in (see [`crate::data::builtin`]).

use std::env;
use std::path::{Path, PathBuf};

use blitz_contract::{Layout, layout, variables};

use crate::data::builtin::{self, BuiltInOptions};
use crate::data::download::{self, Archive, Timeouts};
use crate::data::records::{self, BATCHES_DIR, RECORD_LEN, TEST_FILE, TRAIN_FILES};
use crate::data::split::Split;
use crate::error::{Error, Result};
use crate::language::told;

/// The class names, by label.
pub const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
/// Channels, height and width of a picture.
pub const IMAGE_SHAPE: [i64; 3] = [3, 32, 32];

/// Where the data came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The directory that was asked for, or the given one.
    Directory(PathBuf),
    /// Files of an earlier download.
    Cache(PathBuf),
    /// A download, now in the cache.
    Downloaded(PathBuf),
    /// The drawn stand-in.
    BuiltIn {
        /// Why it was used.
        reason: String,
    },
}

/// The data set.
#[derive(Debug)]
pub struct Cifar10 {
    /// To learn from: officially 50,000 pictures.
    pub train: Split,
    /// To measure on: officially 10,000 pictures.
    pub test: Split,
    /// Where both came from.
    pub source: Source,
}

/// Which data to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataChoice {
    /// [`Cifar10Options::directory`] where it is there, else the cache, else a download, else the
    /// built-in set.
    Auto,
    /// This directory of `.bin` files, or the one that holds `cifar-10-batches-bin`.
    Directory(PathBuf),
    /// The built-in set.
    BuiltIn,
}

impl DataChoice {
    /// Reads the environment variable `BLITZ_DATA`: unset or empty means [`DataChoice::Auto`],
    /// `builtin` means [`DataChoice::BuiltIn`], anything else is a directory.
    pub fn from_env() -> DataChoice {
        match env::var_os(variables::DATA) {
            None => DataChoice::Auto,
            Some(value) if value.is_empty() => DataChoice::Auto,
            Some(value) if value.eq_ignore_ascii_case(variables::BUILTIN_DATA) => {
                DataChoice::BuiltIn
            }
            Some(value) => DataChoice::Directory(value.into()),
        }
    }
}

/// Where [`Cifar10::load`] looks.
#[derive(Clone, Debug)]
pub struct Cifar10Options {
    /// Which data to use; by default [`DataChoice::from_env`].
    pub data: DataChoice,
    /// Where the data may lie already, as for [`DataChoice::Directory`]; by default nowhere.
    /// [`DataChoice::Auto`] passes over it where there is no such directory, so that a program
    /// runs elsewhere too, and `BLITZ_DATA` comes before it.
    pub directory: Option<PathBuf>,
    /// Where a download is kept; by default `.blitz/data` in the repository that the running
    /// program or the working directory lies in, or where there is none, or somebody else's without
    /// data yet, `rust-blitz/data` in the person's own cache (`$XDG_CACHE_HOME`, `~/.cache`, or the
    /// temporary directory).
    pub cache_dir: PathBuf,
    /// What to download; by default the official archive.
    pub archive: Archive,
    /// How long the download waits.
    pub timeouts: Timeouts,
    /// The stand-in's size and seed.
    pub built_in: BuiltInOptions,
}

impl Default for Cifar10Options {
    fn default() -> Cifar10Options {
        // A kernel's cells run in its program, which lies in the repository, wherever the notebook
        // does.
        let (program, dir) = (env::current_exe().ok(), env::current_dir().ok());
        let repository = Layout::find(program.as_deref(), dir.as_deref());
        Cifar10Options {
            data: DataChoice::from_env(),
            directory: None,
            cache_dir: cache_dir(repository.as_ref()),
            archive: Archive::official(),
            timeouts: Timeouts::default(),
            built_in: BuiltInOptions::default(),
        }
    }
}

/// The cache of the repository where the data is in it already, whoever fetched it, or can be put
/// there; else one that belongs to the person who runs this.
fn cache_dir(repository: Option<&Layout>) -> PathBuf {
    let Some(repository) = repository else {
        return blitz_user_dirs::cache_dir().unwrap_or_else(|_| env::temp_dir()).join(layout::DATA);
    };
    let shared = repository.made().join(layout::DATA);
    if shared.join(BATCHES_DIR).is_dir() {
        return shared;
    }
    blitz_user_dirs::own_dir(repository.root()).map_or(shared, |own| own.join(layout::DATA))
}

impl Cifar10 {
    /// Loads the data set that `options` ask for, and prints a notice where [`DataChoice::Auto`]
    /// ends with the built-in set.
    ///
    /// # Errors
    ///
    /// [`Error::MissingFile`], [`Error::DamagedFile`] and [`Error::BadLabel`] for a directory or
    /// a cache that is incomplete or damaged: real data is never replaced by the built-in set
    /// without a word. A download that fails is no error. [`Error::Interrupted`] where the person
    /// asked to stop.
    ///
    /// ```no_run
    /// use blitz::prelude::*;
    ///
    /// let cifar10 = Cifar10::load(&Cifar10Options::default())?;
    /// println!("{} images to learn from", cifar10.train.len());
    /// # Ok::<(), blitz::Error>(())
    /// ```
    pub fn load(options: &Cifar10Options) -> Result<Cifar10> {
        match &options.data {
            DataChoice::Directory(dir) => from_directory(dir),
            DataChoice::BuiltIn => built_in(options, "asked for".to_owned()),
            DataChoice::Auto => auto(options),
        }
    }
}

/// The directory of the `.bin` files: `dir` itself or `dir/cifar-10-batches-bin`.
fn find_batches(dir: &Path) -> Result<PathBuf> {
    let inner = dir.join(BATCHES_DIR);
    if inner.is_dir() {
        return Ok(inner);
    }
    if dir.is_dir() {
        return Ok(dir.to_owned());
    }
    let remedy =
        format!("Set BLITZ_DATA (or data) to a directory that holds {BATCHES_DIR}, or unset it.");
    Err(Error::MissingFile { path: dir.to_owned(), remedy })
}

fn from_directory(dir: &Path) -> Result<Cifar10> {
    let dir = find_batches(dir)?;
    let (train, test) = records::read_dir(&dir)?;
    Ok(Cifar10 { train, test, source: Source::Directory(dir) })
}

fn auto(options: &Cifar10Options) -> Result<Cifar10> {
    if let Some(dir) = options.directory.as_ref().filter(|dir| dir.is_dir()) {
        return from_directory(dir);
    }
    let cache = options.cache_dir.join(BATCHES_DIR);
    let source = if cache.is_dir() {
        Source::Cache(cache.clone())
    } else {
        match download::fetch(&options.archive, &options.cache_dir, &options.timeouts) {
            Ok(dir) => Source::Downloaded(dir),
            Err(error @ Error::Interrupted { .. }) => return Err(error),
            Err(error) => {
                let reason = why(&error);
                print!("{}", told(&notice(&reason, options)));
                return built_in(options, reason);
            }
        }
    };
    check_cache(&cache, &options.archive)?;
    let (train, test) = records::read_dir(&cache)?;
    Ok(Cifar10 { train, test, source })
}

/// A download interrupted by hand can leave short files; their lengths tell before reading.
fn check_cache(dir: &Path, archive: &Archive) -> Result<()> {
    let expected = archive.records_per_file * RECORD_LEN as u64;
    let remedy = format!("Delete {} and load again.", dir.display());
    for name in TRAIN_FILES.iter().chain([&TEST_FILE]) {
        let path = dir.join(name);
        let Ok(metadata) = path.metadata() else {
            return Err(Error::MissingFile { path, remedy });
        };
        if metadata.len() != expected {
            let expected = format!("{expected} bytes");
            return Err(Error::DamagedFile { path, expected, found: metadata.len(), remedy });
        }
    }
    Ok(())
}

fn built_in(options: &Cifar10Options, reason: String) -> Result<Cifar10> {
    let (train, test) = builtin::splits(&options.built_in)?;
    Ok(Cifar10 { train, test, source: Source::BuiltIn { reason } })
}

/// The error without its advice, which the notice gives in its own way.
fn why(error: &Error) -> String {
    match error {
        Error::Download { url, reason } => format!("could not download {url}: {reason}"),
        other => other.to_string().trim_end_matches('.').to_owned(),
    }
}

/// What a learner reads when the real data could not be had.
fn notice(reason: &str, options: &Cifar10Options) -> String {
    format!(
        "NOTE: real CIFAR-10 is not here, so a small drawn set of the same format stands in:\n\
         {} pictures to learn from and {} to test on. Everything works; accuracies differ.\n\
         Why: {reason}.\n\
         For the real pictures, unpack cifar-10-binary.tar.gz and set BLITZ_DATA to the directory\n\
         that holds {BATCHES_DIR}, then restart the kernel.\n",
        options.built_in.train, options.built_in.test
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_is_there_serves_whoever_asks() {
        let project = tempfile::tempdir().unwrap();
        let repository = Layout::new(project.path());
        let shared = project.path().join(".blitz/data");
        assert_eq!(cache_dir(Some(&repository)), shared, "the project is this user's own");
        std::fs::create_dir_all(shared.join(BATCHES_DIR)).unwrap();
        assert_eq!(cache_dir(Some(&repository)), shared);
        // Nobody can write there.
        for repository in [Some(&Layout::new("/proc/nobody")), None] {
            let elsewhere = cache_dir(repository);
            assert!(
                elsewhere.ends_with("data") && !elsewhere.starts_with("/proc"),
                "{elsewhere:?}"
            );
        }
    }

    #[test]
    fn a_program_of_the_repository_keeps_its_data_there() {
        // As cargo sets it. ci/gpu/run takes the tests to where there may be no repository.
        let here = env::var_os("CARGO_MANIFEST_DIR").expect("cargo or ci/gpu/run runs the tests");
        let here = Path::new(&here).canonicalize().unwrap();
        let repository = Layout::find(None, Some(&here));
        assert_eq!(Cifar10Options::default().cache_dir, cache_dir(repository.as_ref()));
    }
}
