//! Where the running program is.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// What Linux puts behind the path of a program whose file was replaced while it runs, as set-up, cargo
/// and an upgrade do (proc(5), `/proc/pid/exe`).
const DELETED: &[u8] = b" (deleted)";

/// The path by which this program can be started again. Where its file was replaced meanwhile, that is
/// the path of the newer one.
///
/// # Errors
/// The system does not say where the program is.
pub fn path() -> io::Result<PathBuf> {
    let path = env::current_exe()?;
    if path.exists() {
        return Ok(path);
    }
    let unmarked = path.as_os_str().as_bytes().strip_suffix(DELETED);
    Ok(unmarked.map(|bytes| PathBuf::from(OsStr::from_bytes(bytes))).unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::process::Command;

    const CHILD: &str = "BLITZ_TEST_REPLACED_PROGRAM";

    #[test]
    fn a_program_that_was_replaced_says_where_the_newer_one_is() {
        if let Some(replaced) = env::var_os(CHILD) {
            // A copy of this test: what cargo does to a program that it builds again.
            let replaced = PathBuf::from(replaced);
            fs::remove_file(&replaced).expect("it is removed");
            fs::write(&replaced, "newer").expect("another one is written");
            assert_eq!(path().expect("a path"), replaced);
            return;
        }
        let this = env::current_exe().expect("a path");
        assert_eq!(path().expect("a path"), this);
        let dir = env::temp_dir().join(format!("blitz-contract-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("a directory is made");
        let copy = dir.canonicalize().expect("it is there").join("program");
        fs::copy(&this, &copy).expect("a copy is made");
        let name = "program::tests::a_program_that_was_replaced_says_where_the_newer_one_is";
        let told = Command::new(&copy).args(["--exact", name]).env(CHILD, &copy).output();
        let told = told.expect("the copy runs");
        fs::remove_dir_all(&dir).expect("the directory is removed");
        let printed = String::from_utf8_lossy(&told.stdout);
        assert!(told.status.success() && printed.contains("1 passed"), "{printed}");
    }
}
