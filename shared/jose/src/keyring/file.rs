//! The key file: made once, whole, and for its owner alone.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tenantry_types::Random;

use crate::KeyringError;

/// 64 keys take less than half of this.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// All rights of the group and of others.
const RIGHTS_OF_OTHERS: u32 = 0o077;

/// Whether the path is a plain file (not a symbolic link) on which group and others have no rights.
///
/// # Errors
/// When it is not there or cannot be looked at.
pub fn permissions_are_private(path: &Path) -> io::Result<bool> {
    Ok(is_private(&fs::symlink_metadata(path)?))
}

fn is_private(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.mode() & RIGHTS_OF_OTHERS == 0
}

/// The text of the file.
pub(super) fn read(path: &Path) -> Result<String, KeyringError> {
    text_of(path).map_err(|source| KeyringError::Read { path: path.to_owned(), source })
}

/// The text of the file, or nothing when there is no file.
pub(super) fn read_if_there(path: &Path) -> Result<Option<String>, KeyringError> {
    match text_of(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(KeyringError::Read { path: path.to_owned(), source }),
    }
}

/// The text of a file that is private, and stays the same one between looking and reading.
pub(super) fn read_private(path: &Path) -> Result<String, KeyringError> {
    let cannot_read = |source| KeyringError::Read { path: path.to_owned(), source };
    let exposed = || KeyringError::Exposed { path: path.to_owned() };
    let named = fs::symlink_metadata(path).map_err(cannot_read)?;
    if !is_private(&named) {
        return Err(exposed());
    }
    let file = File::open(path).map_err(cannot_read)?;
    let opened = file.metadata().map_err(cannot_read)?;
    if !is_private(&opened) || (named.dev(), named.ino()) != (opened.dev(), opened.ino()) {
        return Err(exposed());
    }
    bounded(file).map_err(cannot_read)
}

fn text_of(path: &Path) -> io::Result<String> {
    bounded(File::open(path)?)
}

fn bounded(file: File) -> io::Result<String> {
    let mut text = String::new();
    file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a key file has at most 64 KiB"));
    }
    Ok(text)
}

/// Makes the file, unless there is one by now: then `false`, and nothing is changed.
///
/// The text is written and synced under another name and then linked to its own. A link never replaces, and the name
/// never stands for half a file, so of several starters one wins and the others read what it wrote.
pub(super) fn create(path: &Path, text: &str, random: &dyn Random) -> Result<bool, KeyringError> {
    try_create(path, text, random).map_err(|source| KeyringError::Create { path: path.to_owned(), source })
}

fn try_create(path: &Path, text: &str, random: &dyn Random) -> io::Result<bool> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let temporary = Temporary::write(directory, text, random)?;
    match fs::hard_link(&temporary.0, path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error),
    }
    drop(temporary);
    // The name too must survive a power failure: what is sealed with a lost key is lost.
    File::open(directory)?.sync_all()?;
    Ok(true)
}

/// A file that is removed when it is no longer needed.
struct Temporary(PathBuf);

impl Temporary {
    fn write(directory: &Path, text: &str, random: &dyn Random) -> io::Result<Self> {
        let mut suffix = [0; 8];
        random.fill(&mut suffix);
        let path = directory.join(format!(".keys-{:016x}.tmp", u64::from_be_bytes(suffix)));
        // `create_new` neither follows a link nor opens what someone laid there.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let temporary = Self(path);
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(temporary)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What stays behind after a failure is a private file that nobody reads.
        let _ = fs::remove_file(&self.0);
    }
}
