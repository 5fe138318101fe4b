//! Where a person's files go.
//!
//! One set-up serves many people: the project's folder may belong to somebody else, or be
//! read-only. What a person's kernels and commands write (build directories, history, downloads,
//! logs) goes below the project where that is the person's own, and else to the person's cache.

mod kernel_dir;
pub mod linked_tree;

pub use kernel_dir::{is_kernel_dir_in_use, take_kernel_dir};

use blitz_contract::layout::MADE;
use std::env;
use std::ffi::CString;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The directory's name in a cache, and the beginning of its name in the temporary directory.
const NAME: &str = "rust-blitz";

/// Whether the project at `root` belongs to the person who runs this process and can be written:
/// its `.blitz`, or where there is none yet, `root` itself.
pub fn is_own(root: &Path) -> bool {
    let dir = made_or_root(root);
    is_owner(&dir) && is_writable(&dir)
}

/// Whether the project at `root` is there and this process may not write its `.blitz`, or where there
/// is none yet, `root` itself.
pub fn is_read_only(root: &Path) -> bool {
    let dir = made_or_root(root);
    dir.exists() && !is_writable(&dir)
}

fn made_or_root(root: &Path) -> PathBuf {
    let made = root.join(MADE);
    if made.exists() { made } else { root.to_owned() }
}

/// The directory for the files of the person who runs this process: `.blitz` of the project at
/// `root` where that [is their own](is_own), else [`cache_dir`].
///
/// # Errors
/// As for [`cache_dir`].
pub fn own_dir(root: &Path) -> io::Result<PathBuf> {
    if is_own(root) { Ok(root.join(MADE)) } else { cache_dir() }
}

/// The directory `name` below [`own_dir`], which is made, readable for nobody else.
///
/// # Errors
/// As for [`cache_dir`] and [`make_private`].
pub fn own_subdir(root: &Path, name: &str) -> io::Result<PathBuf> {
    let dir = own_dir(root)?.join(name);
    make_private(&dir)?;
    Ok(dir)
}

/// A directory outside the project that belongs to the person alone, which is made:
/// `$XDG_CACHE_HOME/rust-blitz`, else `~/.cache/rust-blitz`, else `rust-blitz-UID` in the temporary
/// directory. A path that the Rust evaluator evcxr cannot work in counts as none.
///
/// # Errors
/// None of them can be written.
pub fn cache_dir() -> io::Result<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|it| it.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    let in_cache = cache.map(|cache| cache.join(NAME));
    if let Some(dir) = in_cache.filter(|dir| unfit_character(dir).is_none())
        && make_private(&dir).is_ok()
    {
        return Ok(dir);
    }
    let dir = env::temp_dir().join(format!("{NAME}-{}", user_id()));
    make_private(&dir).map_err(|error| {
        io::Error::new(error.kind(), format!("cannot write to {}: {error}", dir.display()))
    })?;
    Ok(dir)
}

/// Makes `dir`, readable for nobody else, with the directories above it.
///
/// # Errors
/// It cannot be made, or it is there and somebody else's, or it cannot be written.
pub fn make_private(dir: &Path) -> io::Result<()> {
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    // Whoever else owns it, or a link to it, could read and change what is put there.
    let metadata = fs::symlink_metadata(dir)?;
    if !metadata.is_dir() || !is_owner(dir) || !is_writable(dir) {
        let message = format!("{} is not a directory of this user's own", dir.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(dir, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// The first character of `path` with which evcxr and the linker do not work, if it has one. evcxr
/// passes paths between its processes separated by spaces, and the linker's options by commas.
pub fn unfit_character(path: &Path) -> Option<char> {
    let unfit = |c: &char| c.is_whitespace() || "'\"\\,[]*?".contains(*c);
    path.to_string_lossy().chars().find(unfit)
}

/// Whether this process may make files in the directory `dir`.
pub fn is_writable(dir: &Path) -> bool {
    may(dir, libc::W_OK | libc::X_OK)
}

/// Whether this process may read the file or directory `path`, and look into it.
pub fn is_readable(path: &Path) -> bool {
    may(path, if path.is_dir() { libc::R_OK | libc::X_OK } else { libc::R_OK })
}

fn may(path: &Path, access: libc::c_int) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: the path is a string that ends with a zero byte and outlives the call. As the
    // effective user, like every access to come.
    unsafe { libc::faccessat(libc::AT_FDCWD, path.as_ptr(), access, libc::AT_EACCESS) == 0 }
}

fn is_owner(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.uid() == user_id())
}

fn user_id() -> u32 {
    // SAFETY: a plain system call.
    unsafe { libc::geteuid() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn the_owners_files_stay_in_the_project() {
        let project = tempfile::tempdir().expect("a temporary directory");
        let root = project.path();
        assert_eq!(own_dir(root).expect("a place"), root.join(".blitz"));
        fs::create_dir(root.join(".blitz")).expect("writable");
        assert_eq!(own_dir(root).expect("a place"), root.join(".blitz"));
        assert!(!is_own(&root.join("missing")));
    }

    #[test]
    fn a_private_directory_is_for_its_owner_alone() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let made = dir.path().join("above/own");
        make_private(&made).expect("writable");
        assert_eq!(mode(&made), 0o700);
        fs::set_permissions(&made, Permissions::from_mode(0o755)).expect("its owner may");
        make_private(&made).expect("it is there already");
        assert_eq!(mode(&made), 0o700);
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&made, &link).expect("a link");
        assert!(make_private(&link).is_err(), "a link may be somebody else's");
        assert!(make_private(Path::new("/proc/nothing")).is_err());
    }

    #[test]
    fn paths_that_evcxr_cannot_work_in_are_found() {
        assert_eq!(unfit_character(Path::new("/home/lin/.cache")), None);
        assert_eq!(unfit_character(Path::new("/home/林/.cache")), None);
        assert_eq!(unfit_character(Path::new("/home/anna maria")), Some(' '));
        assert_eq!(unfit_character(Path::new("/home/x,y")), Some(','));
    }
}
