use std::process::Command;

use proptest::prelude::*;

use super::{Check, Fault};

/// What Python's zipfile writes: stored, deflated, with directories, to a stream (lengths after the content), and with
/// ZIP64 fields.
fn archives() -> Vec<(String, Vec<u8>)> {
    let script = r"
import io, sys, zipfile, random
class Pipe(io.RawIOBase):
    def __init__(self): self.data = bytearray()
    def writable(self): return True
    def write(self, b): self.data += b; return len(b)
def fill(file, method, wide):
    with zipfile.ZipFile(file, 'w', method) as archive:
        archive.comment = b'made by a test' if wide else b''
        archive.writestr('folder/', '')
        archive.writestr('empty', '')
        for n in range(3):
            with archive.open(zipfile.ZipInfo(f'file-{n}') if method == 0 else f'file-{n}', 'w', force_zip64=wide) as entry:
                entry.write(bytes(random.Random(n).randrange(40, 50) for _ in range(3000 * n + 1)))
out = sys.argv[1]
for name, method in [('stored', 0), ('deflated', 8)]:
    for wide in [False, True]:
        file = io.BytesIO(); fill(file, method, wide)
        open(f'{out}/{name}-{wide}.zip', 'wb').write(file.getvalue())
        if method == 8:
            pipe = Pipe(); fill(pipe, method, wide)
            open(f'{out}/{name}-streamed-{wide}.zip', 'wb').write(pipe.data)
zipfile.ZipFile(f'{out}/none.zip', 'w').close()
";
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("/usr/bin/python3").arg("-c").arg(script).arg(folder.path()).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let mut found: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect();
    found.sort();
    found
}

fn check(bytes: &[u8], step: usize) -> Result<u64, Fault> {
    let mut check = Check::new();
    for part in bytes.chunks(step) {
        check.feed(part)?;
    }
    check.finish()
}

#[test]
fn what_others_write_is_sound_however_it_is_cut() {
    let archives = archives();
    assert_eq!(archives.len(), 7);
    for (name, bytes) in &archives {
        let entries = if name == "none.zip" { 0 } else { 5 };
        for step in [1, 7, 24, 1_000, usize::MAX] {
            assert_eq!(check(bytes, step), Ok(entries), "{name} in steps of {step}");
        }
    }
}

#[test]
fn an_archive_of_git_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    let git = |words: &[&str]| {
        let identity = ["-c", "user.name=T", "-c", "user.email=t@example.com"];
        let said = Command::new("git").args(identity).args(words).current_dir(folder.path()).output().unwrap();
        assert!(said.status.success(), "{said:?}");
        said.stdout
    };
    git(&["init", "-q"]);
    std::fs::write(folder.path().join("large"), "a line\n".repeat(200_000)).unwrap();
    std::fs::write(folder.path().join("small"), "x").unwrap();
    git(&["add", "."]);
    git(&["commit", "-qm", "all"]);
    let archive = git(&["-c", "core.bigFileThreshold=1k", "archive", "--format=zip", "--prefix=p/", "HEAD"]);
    assert_eq!(check(&archive, 4_096), Ok(3));
}

#[test]
fn every_flipped_byte_of_content_or_length_is_noticed_and_so_is_every_cut() {
    for (name, bytes) in archives() {
        for length in (0..bytes.len()).step_by(11) {
            assert!(matches!(check(&bytes[..length], 512), Err(Fault::Damaged(_))), "{name} cut at {length}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(check(&longer, 512).is_err(), "{name} goes on");
        if name.starts_with("stored") {
            // The content of the last entry.
            let at = bytes.windows(6).rposition(|part| part == b"file-2").unwrap() - 300;
            for place in at - 20..at {
                let mut other = bytes.clone();
                other[place] ^= 1;
                assert!(matches!(check(&other, 512), Err(Fault::Damaged(_))), "{name} at {place}");
            }
        }
    }
}

#[test]
fn a_directory_that_lists_something_else_is_damage() {
    let (_, bytes) = archives().into_iter().find(|(name, _)| name == "deflated-False.zip").unwrap();
    let at = bytes.windows(4).position(|part| part == b"PK\x01\x02").unwrap();
    let mut other = bytes;
    other[at + 16] ^= 1;
    let said = "the directory lists 5 entries that are not the 5 that came";
    assert_eq!(check(&other, 512), Err(Fault::Damaged(said.into())));
}

#[test]
fn what_is_no_archive_is_said_to_be_none() {
    for text in ["<html>Not found</html>", "\x1f\u{8b}..........", "PK"] {
        assert!(matches!(check(text.as_bytes(), 100), Err(Fault::Damaged(_))), "{text}");
    }
    assert_eq!(check(b"", 1), Err(Fault::Damaged("it is empty".into())));
}

proptest! {
    #[test]
    fn anything_can_be_fed(bytes in proptest::collection::vec(any::<u8>(), 0..600), step in 1_usize..80) {
        let _ = check(&bytes, step);
        let _ = check(&[b"PK\x03\x04".as_slice(), &bytes].concat(), step);
    }

    #[test]
    fn a_damaged_archive_gives_the_same_verdict_however_it_is_cut(place in 0_usize..2_000, flip in 1_u8.., step in 1_usize..300) {
        // Made by hand: one entry of 40 bytes, stored.
        let content = [b'x'; 40];
        let mut crc = flate2::Crc::new();
        crc.update(&content);
        let sizes = [crc.sum().to_le_bytes(), 40_u32.to_le_bytes(), 40_u32.to_le_bytes()].concat();
        let mut bytes = [b"PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0".as_slice(), &sizes, b"\x01\0\0\0a", &content].concat();
        let start = u32::try_from(bytes.len()).unwrap();
        bytes.extend([b"PK\x01\x02\x0a\0\x0a\0\0\0\0\0\0\0\0\0".as_slice(), &sizes, b"\x01\0\0\0\0\0", &[0; 12], b"a"].concat());
        let length = u32::try_from(bytes.len()).unwrap() - start;
        bytes.extend([b"PK\x05\x06\0\0\0\0\x01\0\x01\0".as_slice(), &length.to_le_bytes(), &start.to_le_bytes(), &[0, 0]].concat());
        prop_assert_eq!(check(&bytes, step), Ok(1));
        let place = place % bytes.len();
        bytes[place] ^= flip;
        let verdict = |result: Result<u64, Fault>| result.is_ok();
        prop_assert_eq!(verdict(check(&bytes, step)), verdict(check(&bytes, usize::MAX)));
    }
}
