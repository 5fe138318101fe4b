//! Files that appear whole or not at all, whatever ends the program.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// Replaces the file `path` by what `write` writes: into a temporary file beside it, which takes
/// the name only when it is complete and on the disk. Until then an older file stays as it is.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> Result<()>,
) -> Result<()> {
    let io = |error| Error::io("write", path)(error);
    let dir = directory(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".checkpoint-").suffix(".tmp");
    #[cfg(unix)]
    {
        // The rights of any other new file, less the person's umask.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    // Dropping it removes the file, which is what all errors below do.
    let temporary = builder.tempfile_in(dir).map_err(io)?;
    let mut writer = BufWriter::new(temporary.as_file());
    write(&mut writer)?;
    writer.flush().map_err(io)?;
    drop(writer);
    temporary.as_file().sync_all().map_err(io)?;
    temporary.persist(path).map_err(|error| io(error.error))?;
    sync_directory(dir)
}

/// The directory that holds `path`.
pub(super) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// Makes new names in `dir` outlast a loss of power.
pub(super) fn sync_directory(dir: &Path) -> Result<()> {
    // Elsewhere directories cannot be opened, and need no flush.
    if cfg!(unix) {
        let file = File::open(dir).map_err(Error::io("read", dir))?;
        file.sync_all().map_err(Error::io("write", dir))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_the_old_file_and_leaves_nothing_beside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("net.ot");
        replace(&path, |file| file.write_all(b"old").map_err(Error::io("write", &path))).unwrap();
        let failed = replace(&path, |file| {
            file.write_all(b"half of the ne").unwrap();
            Err("the disk is full".into())
        });
        assert_eq!(failed.unwrap_err().to_string(), "the disk is full");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_name_without_a_directory_is_in_the_present_one() {
        assert_eq!(directory(Path::new("net.ot")), Path::new("."));
        assert_eq!(directory(Path::new("a/net.ot")), Path::new("a"));
    }
}
