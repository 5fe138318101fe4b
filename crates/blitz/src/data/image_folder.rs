//! Pictures of one's own: a folder for each class, `torchvision.datasets.ImageFolder`.

mod classes;
mod files;
mod train_test;

use std::fmt;
use std::path::{Path, PathBuf};

use tch::{Device, Kind, Tensor};

use crate::data::image_file;
use crate::data::split::Split;
use crate::data::transform::{CenterCrop, Channels, Resize};
use crate::display::interrupt::Watch;
use crate::error::{Error, Result};

pub use train_test::TrainTest;

/// What happens with a file that has a picture's name and cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is an error that names the file.
    Refuse,
    /// It is passed over, and listed in [`ImageFolder::skipped`].
    Skip,
}

/// What happens with classes whose names differ in capitals or spaces around them only, such as `Cat`
/// and `cat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlikeNames {
    /// They are an error that names both: most often they are one class.
    Refuse,
    /// They are classes of their own, as for torchvision: letters `A` and `a`, for example.
    Keep,
}

/// How [`ImageFolder::load`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageFolderOptions {
    /// Height and width that all pictures get, in pixels, at least 1: by [`Resize`] and then
    /// [`CenterCrop`]; 32.
    pub size: i64,
    /// Colours or grey; [`Channels::Rgb`].
    pub channels: Channels,
    /// What happens with files that cannot be read; [`Broken::Refuse`].
    pub broken: Broken,
    /// What happens with two spellings of one name; [`AlikeNames::Refuse`].
    pub alike_names: AlikeNames,
}

impl Default for ImageFolderOptions {
    fn default() -> ImageFolderOptions {
        ImageFolderOptions {
            size: 32,
            channels: Channels::Rgb,
            broken: Broken::Refuse,
            alike_names: AlikeNames::Refuse,
        }
    }
}

/// A file that is not among the pictures, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// Why it was passed over, in a sentence without its full stop.
    pub reason: String,
}

/// Pictures in folders by class.
///
/// ```no_run
/// use blitz::prelude::*;
///
/// // animals/cat/1.jpg, animals/cat/2.png, animals/dog/1.jpg, …
/// let folder = ImageFolder::load("animals", &ImageFolderOptions::default())?;
/// let TrainTest { train, test, .. } = folder.split(0.2, 0)?;
/// let train_loader = DataLoader::new(&train, LoaderOptions::default())?;
/// let vs = nn::VarStore::new(Device::Cpu);
/// let classes = folder.classes.len() as i64;
/// let net = cifar10_net_with(&vs.root(), CifarNetOptions { classes, ..Default::default() });
/// # Ok::<(), blitz::Error>(())
/// ```
#[derive(Debug)]
pub struct ImageFolder {
    /// The folder that was loaded.
    pub root: PathBuf,
    /// All pictures: u8 `[N, C, size, size]`, and their labels, which index `classes`.
    pub all: Split,
    /// The names of the folders, sorted by code points as Python does: capitals before small letters.
    pub classes: Vec<String>,
    /// The file of each picture, by class and then by name, in torchvision's order.
    pub paths: Vec<PathBuf>,
    /// What was not loaded: files that cannot be read (with [`Broken::Skip`]), and pictures that lie
    /// in no class's folder.
    pub skipped: Vec<Skipped>,
}

impl ImageFolder {
    /// Loads each picture below `dir`, makes it `options.size` pixels high and wide, and labels it by
    /// the folder of `dir` that it lies in, at any depth. Links are followed.
    ///
    /// PNG, JPEG, WebP, BMP, GIF (the first picture of moving ones) and PNM are read, with up to
    /// 100,000,000 pixels; the content decides what a file is, the ending only whether it is looked
    /// at. 16 bits become 8; transparency is dropped, as PIL's `convert("RGB")` does, so that what lies
    /// below it shows; colour profiles are ignored, as there.
    ///
    /// It gives the classes, labels and order of torchvision's
    /// `ImageFolder(dir, Compose([Resize(size), CenterCrop(size)]))`, except for what that would spoil
    /// a training with:
    ///
    /// - a photo that says by EXIF which side is up is turned upright, which PIL's loader does not do;
    /// - hidden files and folders (`.ipynb_checkpoints`, macOS's `._cat.jpg`) and `__MACOSX` are
    ///   passed over, which are a class or pictures there;
    /// - `.gif` and `.jfif` are pictures, too, and what an ending promises but cannot be read here
    ///   (TIFF, HEIC, AVIF) is named;
    /// - one class alone, folders named `train` and `test`, and two spellings of a name are errors.
    ///
    /// Pixels of JPEG files may differ by a few levels, for another decoder rounds in other places.
    ///
    /// # Errors
    ///
    /// [`Error::Folder`] where `dir` is no folder, has no folders or only one in it, or one without a
    /// picture; [`Error::Picture`] for a file that cannot be read, unless they are to be skipped;
    /// [`Error::Option`] for a size below 1 or too large; [`Error::Io`] for a folder that may not be
    /// read; [`Error::Interrupted`] where the person asked to stop.
    pub fn load(dir: impl AsRef<Path>, options: &ImageFolderOptions) -> Result<ImageFolder> {
        let root = dir.as_ref();
        // Before the work, since the size is the same for all.
        Resize { size: options.size }.sizes(1, 1)?;
        let found = classes::find(root, options.alike_names)?;
        let mut loading = Loading::new(found.file_count(), options)?;
        let mut classes = Vec::new();
        let mut skipped = found.stray;
        for (label, class) in found.classes.into_iter().enumerate() {
            for path in class.files {
                if let Some(skip) = loading.add(path, label as i64)? {
                    skipped.push(skip);
                }
            }
            if !loading.labels.contains(&(label as i64)) {
                return Err(classes::none_readable(root, &class.name));
            }
            classes.push(class.name);
        }
        let (all, paths) = loading.finish();
        Ok(ImageFolder { root: root.to_owned(), all, classes, paths, skipped })
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is no picture, which [`ImageFolder::load`] rules out.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// The pictures that have been read so far.
struct Loading {
    options: ImageFolderOptions,
    /// u8 `[files, C, size, size]`, of which the first `labels.len()` are filled.
    images: Tensor,
    labels: Vec<i64>,
    paths: Vec<PathBuf>,
    watch: Watch,
}

impl Loading {
    fn new(files: usize, options: &ImageFolderOptions) -> Result<Loading> {
        let shape = [files as i64, options.channels.count(), options.size, options.size];
        let images = Tensor::f_zeros(shape, (Kind::Uint8, Device::Cpu))
            .map_err(Error::torch("making room for the pictures"))?;
        let (labels, paths, watch) = (Vec::new(), Vec::new(), Watch::new());
        Ok(Loading { options: *options, images, labels, paths, watch })
    }

    /// Reads one more, or says why not.
    fn add(&mut self, path: PathBuf, label: i64) -> Result<Option<Skipped>> {
        self.watch.check_during("ImageFolder::load", || "nothing was kept".to_owned())?;
        match sized(&path, self.options.channels, self.options.size) {
            Ok(image) => {
                self.images.narrow(0, self.labels.len() as i64, 1).copy_(&image);
                self.labels.push(label);
                self.paths.push(path);
                Ok(None)
            }
            Err(Error::Picture { path, reason, .. }) if self.options.broken == Broken::Skip => {
                Ok(Some(Skipped { path, reason }))
            }
            Err(Error::Picture { path, reason, remedy }) => {
                let remedy = format!("{remedy} Or pass over such files: broken: Broken::Skip.");
                Err(Error::Picture { path, reason, remedy })
            }
            Err(other) => Err(other),
        }
    }

    fn finish(self) -> (Split, Vec<PathBuf>) {
        let images = self.images.narrow(0, 0, self.labels.len() as i64);
        (Split { images, labels: Tensor::from_slice(&self.labels) }, self.paths)
    }
}

/// The picture of a file, resized and cropped: u8 `[1, C, size, size]`.
fn sized(path: &Path, channels: Channels, size: i64) -> Result<Tensor> {
    to_size(path, &image_file::read(path, channels)?, size)
}

/// `image` `[1, C, H, W]` of the file `path`, resized and cropped to `[1, C, size, size]`.
pub(crate) fn to_size(path: &Path, image: &Tensor, size: i64) -> Result<Tensor> {
    let shape = image.size();
    let resized = Resize { size }.apply(image).map_err(|error| match error {
        Error::Option { .. } if size >= 1 => Error::Picture {
            path: path.to_owned(),
            reason: format!("{} x {} pixels are too narrow for their length", shape[3], shape[2]),
            remedy: "Cut out the part that matters.".to_owned(),
        },
        other => other,
    })?;
    CenterCrop { size }.apply(&resized)
}

/// As torchvision prints it, and the number of pictures of each class.
impl fmt::Display for ImageFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Dataset ImageFolder")?;
        writeln!(f, "    Number of datapoints: {}", self.len())?;
        writeln!(f, "    Root location: {}", self.root.display())?;
        for (label, name) in self.classes.iter().enumerate() {
            let count = self.all.labels.eq(label as i64).sum(Kind::Int64).int64_value(&[]);
            writeln!(f, "    {label} {name}: {count}")?;
        }
        match self.skipped.len() {
            0 => Ok(()),
            skipped => writeln!(f, "    Passed over: {skipped}"),
        }
    }
}
