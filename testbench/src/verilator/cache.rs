//! Content-addressed folders, each built once over all threads and processes.
//!
//! A folder is built as `<key>.tmp` under an exclusive file lock and renamed into place. A failed or killed
//! build leaves no entry, so freshness needs no time stamps: an entry that exists is complete.

use super::error::BuildError;
use fs4::FileExt;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Hash of a list of byte strings. Lengths go in too, so that moving a byte between parts changes the hash.
pub(super) fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    hash.iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A folder of cached builds.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    root: PathBuf,
}

impl Cache {
    pub(super) fn new(root: PathBuf) -> Cache {
        Cache { root }
    }

    /// The entry `key`, built by `build` into the folder it is given if it does not exist yet.
    pub(super) fn entry(
        &self,
        key: &str,
        build: impl FnOnce(&Path) -> Result<(), BuildError>,
    ) -> Result<PathBuf, BuildError> {
        let entry = self.root.join(key);
        if entry.is_dir() {
            return Ok(entry);
        }
        let locks = self.root.join("locks");
        fs::create_dir_all(&locks).map_err(BuildError::cache(&locks))?;
        let lock_path = locks.join(key);
        let lock = fs::File::create(&lock_path).map_err(BuildError::cache(&lock_path))?;
        FileExt::lock(&lock).map_err(BuildError::cache(&lock_path))?;
        if entry.is_dir() {
            return Ok(entry); // another process built it while we waited for the lock
        }
        let tmp = self.root.join(format!("{key}.tmp"));
        // What a killed builder left: nobody else is at work here, we hold the lock.
        let _ = fs::remove_dir_all(&tmp);
        fs::create_dir_all(&tmp).map_err(BuildError::cache(&tmp))?;
        let built =
            build(&tmp).and_then(|()| fs::rename(&tmp, &entry).map_err(BuildError::cache(&entry)));
        if built.is_err() {
            let _ = fs::remove_dir_all(&tmp);
        }
        built.map(|()| entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn entry_is_built_once_when_many_builders_ask() {
        let dir = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(dir.path().to_owned());
        let built = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let entry = cache.entry("key", |tmp| {
                        built.fetch_add(1, Ordering::SeqCst);
                        fs::write(tmp.join("half"), "").expect("a file");
                        std::thread::sleep(Duration::from_millis(50));
                        fs::write(tmp.join("whole"), "").expect("a file");
                        Ok(())
                    });
                    let entry = entry.expect("an entry");
                    assert!(entry.join("half").is_file() && entry.join("whole").is_file());
                });
            }
        });
        assert_eq!(built.into_inner(), 1);
    }

    #[test]
    fn nothing_is_left_when_a_build_fails_and_the_next_one_succeeds() {
        let dir = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(dir.path().to_owned());
        let fail = || BuildError::Design {
            top: "t".into(),
            rule: "fails".into(),
        };
        assert!(cache.entry("key", |_| Err(fail())).is_err());
        let left: Vec<_> = fs::read_dir(dir.path())
            .expect("a folder")
            .flatten()
            .map(|e| e.file_name())
            .collect();
        assert_eq!(left, ["locks"]);
        assert!(cache.entry("key", |_| Ok(())).is_ok());
        assert!(cache.entry("key", |_| Err(fail())).is_ok(), "built before");
    }

    #[test]
    fn remains_are_swept_when_a_builder_was_killed() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir(dir.path().join("key.tmp")).expect("a folder");
        fs::write(dir.path().join("key.tmp/half"), "").expect("a file");
        let cache = Cache::new(dir.path().to_owned());
        let entry = cache.entry("key", |_| Ok(())).expect("an entry");
        assert!(!entry.join("half").exists());
    }

    #[test]
    fn digest_differs_when_a_byte_moves_between_parts() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_eq!(digest(&[b"ab", b"c"]), digest(&[b"ab", b"c"]));
    }
}
