//! The key file.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use tempfile::{TempDir, tempdir};
use tenantry_jose::{Keyring, KeyringError, permissions_are_private};
use tenantry_types::SystemRandom;

fn made() -> (TempDir, std::path::PathBuf, Keyring) {
    let directory = tempdir().unwrap();
    let path = directory.path().join("keys.json");
    let ring = Keyring::load_or_create(&path, &SystemRandom).unwrap();
    (directory, path, ring)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn is_made_once_for_its_owner_alone() {
    let (directory, path, ring) = made();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(permissions_are_private(&path).unwrap());
    // Nothing else is left behind.
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    let sealed = ring.seal("p", b"x").unwrap();
    for again in [
        Keyring::load_or_create(&path, &SystemRandom).unwrap(),
        Keyring::load(&path).unwrap(),
        Keyring::load_private(&path).unwrap(),
    ] {
        assert_eq!((again.primary_kid(), again.open("p", &sealed).unwrap()), (ring.primary_kid(), b"x".to_vec()));
    }
}

#[test]
fn missing_directories_are_made_for_their_owner_alone() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("data/secret/keys.json");
    Keyring::load_or_create(&path, &SystemRandom).unwrap();
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn starters_at_once_agree() {
    for _ in 0..20 {
        let directory = tempdir().unwrap();
        let path = directory.path().join("keys.json");
        let barrier = Barrier::new(8);
        let names: Vec<String> = thread::scope(|scope| {
            let starters: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        Keyring::load_or_create(&path, &SystemRandom).unwrap().primary_kid().to_owned()
                    })
                })
                .collect();
            starters.into_iter().map(|starter| starter.join().unwrap()).collect()
        });
        assert!(names.iter().all(|name| name == &names[0]), "{names:?}");
        assert_eq!(Keyring::load(&path).unwrap().primary_kid(), names[0]);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_file_that_is_no_key_file_is_left_alone() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("keys.json");
    for content in ["", "{}", "something of value"] {
        fs::write(&path, content).unwrap();
        assert!(matches!(Keyring::load_or_create(&path, &SystemRandom), Err(KeyringError::Keys(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    fs::write(&path, vec![b' '; 70_000]).unwrap();
    assert!(matches!(Keyring::load_or_create(&path, &SystemRandom), Err(KeyringError::Read { .. })));
    fs::write(&path, [0xff]).unwrap();
    assert!(matches!(Keyring::load(&path), Err(KeyringError::Read { .. })));
}

#[test]
fn exposed_files_are_refused_where_asked() {
    let (directory, path, _) = made();
    for mode in [0o640, 0o604, 0o660, 0o610, 0o601, 0o644, 0o777] {
        set_mode(&path, mode);
        assert!(!permissions_are_private(&path).unwrap(), "{mode:o}");
        assert!(matches!(Keyring::load_private(&path), Err(KeyringError::Exposed { .. })), "{mode:o}");
        assert!(Keyring::load(&path).is_ok());
    }
    for mode in [0o600, 0o400] {
        set_mode(&path, mode);
        assert!(permissions_are_private(&path).unwrap() && Keyring::load_private(&path).is_ok(), "{mode:o}");
    }
    let link = directory.path().join("link.json");
    symlink(&path, &link).unwrap();
    assert!(!permissions_are_private(&link).unwrap());
    assert!(matches!(Keyring::load_private(&link), Err(KeyringError::Exposed { .. })));
    assert!(!permissions_are_private(directory.path()).unwrap());
}

#[test]
fn a_link_to_nowhere_is_not_followed() {
    let directory = tempdir().unwrap();
    let (link, target) = (directory.path().join("keys.json"), directory.path().join("elsewhere.json"));
    symlink(&target, &link).unwrap();
    assert!(matches!(Keyring::load_or_create(&link, &SystemRandom), Err(KeyringError::Read { .. })));
    assert!(!target.exists());
}

#[test]
fn errors_name_the_file() {
    let directory = tempdir().unwrap();
    let missing = directory.path().join("missing.json");
    let error = Keyring::load(&missing).unwrap_err();
    assert!(matches!(error, KeyringError::Read { .. }) && error.to_string().contains("missing.json"));
    assert!(matches!(Keyring::load_private(&missing), Err(KeyringError::Read { .. })));
    assert!(permissions_are_private(&missing).is_err());
    fs::write(&missing, "").unwrap();
    let below = missing.join("keys.json");
    let error = Keyring::load_or_create(&below, &SystemRandom).unwrap_err();
    assert!(error.to_string().contains("keys.json"), "{error}");
    // A name that can be looked for, but not made.
    let unmakeable = Path::new("/proc/tenantry/keys.json");
    assert!(matches!(Keyring::load_or_create(unmakeable, &SystemRandom), Err(KeyringError::Create { .. })));
}
