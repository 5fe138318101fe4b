//! Pictures with labels: found or drawn, normalised, augmented, and in batches.
//!
//! | Module | What it does |
//! | --- | --- |
//! | [`cifar10`] | loads CIFAR-10, or its stand-in |
//! | [`image_folder`] | loads pictures of one's own, a folder for each class |
//! | [`drawn_folder`](mod@drawn_folder) | draws such a folder, to try with |
//! | [`photo`] | one picture, ready for a net |
//! | [`split`] | pictures and their labels |
//! | [`download`] | fetches and checks the archive |
//! | [`records`] | the format of its files |
//! | [`builtin`] | draws the stand-in |
//! | [`transform`] | resizes, crops, scales and normalises images |
//! | [`augment`] | flips and crops images at random |
//! | [`loader`] | makes shuffled batches |

pub mod augment;
pub mod builtin;
pub mod cifar10;
pub mod download;
pub mod drawn_folder;
mod image_file;
pub mod image_folder;
pub mod loader;
pub mod photo;
pub mod records;
pub mod split;
pub mod transform;
