//! Pictures with labels: found or drawn, normalised, augmented, and in batches.
//!
//! | Module | What it does |
//! | --- | --- |
//! | [`cifar10`] | loads CIFAR-10, or its stand-in |
//! | [`split`] | pictures and their labels |
//! | [`download`] | fetches and checks the archive |
//! | [`records`] | the format of its files |
//! | [`builtin`] | draws the stand-in |
//! | [`transform`] | scales and normalises images |
//! | [`augment`] | flips and crops images at random |
//! | [`loader`] | makes shuffled batches |

pub mod augment;
pub mod builtin;
pub mod cifar10;
pub mod download;
pub mod loader;
pub mod records;
pub mod split;
pub mod transform;
