//! Whether the database still stands where it was opened.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The file that stood at a path at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    path: PathBuf,
    /// Device and inode; nothing when there is no file.
    file: Option<(u64, u64)>,
}

impl Place {
    /// What stands at the path now.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let file = std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
        Self { path: path.to_owned(), file }
    }

    /// Why what is written now will be gone: the file was deleted or another took its place, while SQLite goes on
    /// writing to the one that it opened. `None` as long as it stands there.
    #[must_use]
    pub fn lost(&self) -> Option<String> {
        let now = Self::of(&self.path);
        if now.file == self.file {
            return None;
        }
        let what = if now.file.is_none() { "was deleted or moved away" } else { "was replaced by another file" };
        Some(format!(
            "the database {} {what} while it is written: what is stored from now on is gone when the daemon ends; put \
             the file back, or stop the daemon and start it anew",
            self.path.display()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_deleted_or_replaced_is_noticed_and_one_that_comes_back_is_well() {
        let folder = tempfile::tempdir().unwrap();
        let (path, aside) = (folder.path().join("a.db"), folder.path().join("aside.db"));
        std::fs::write(&path, "one").unwrap();
        let place = Place::of(&path);
        assert_eq!(place.lost(), None);
        std::fs::rename(&path, &aside).unwrap();
        assert!(place.lost().unwrap().contains("was deleted or moved away"));
        std::fs::write(&path, "two").unwrap();
        assert!(place.lost().unwrap().contains("was replaced by another file"));
        std::fs::rename(&aside, &path).unwrap();
        assert_eq!(place.lost(), None);
    }
}
