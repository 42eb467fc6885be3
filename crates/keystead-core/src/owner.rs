//! To whom the files of an instance belong.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

/// Leaves a file to the owner of its folder alone: a command that root runs must not lock the server out of its data, and
/// nobody else may read it. What is not there, or not ours to give away, stays as it is.
pub fn adopt(path: &Path) {
    let Ok(file) = fs::metadata(path) else { return };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if rustix::process::geteuid().is_root()
        && let Ok(folder) = fs::metadata(folder)
        && (file.uid(), file.gid()) != (folder.uid(), folder.gid())
    {
        let _ = chown(path, Some(folder.uid()), Some(folder.gid()));
    }
    if file.mode() & 0o077 != 0 {
        let _ = fs::set_permissions(path, Permissions::from_mode(0o600));
    }
}
