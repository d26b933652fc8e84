//! A server of Git LFS that others wrote: giftless, from PyPI; and files that the real `git lfs` has put there.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::forge::{git, repositories};
use crate::network::{Program, free_port, has};

/// giftless over a folder.
pub(crate) struct LfsForge {
    pub(crate) folder: tempfile::TempDir,
    server: Program,
}

/// A file that the server has.
pub(crate) struct Stored {
    pub(crate) oid: String,
    pub(crate) size: u64,
    /// Where the server keeps it.
    pub(crate) path: PathBuf,
}

/// What may be done by whoever asks.
#[derive(Clone, Copy)]
pub(crate) enum Access {
    Write,
    Read,
    Nothing,
}

impl LfsForge {
    /// Starts it; `None`, said by name, where a part is not installed.
    pub(crate) fn start(access: Access) -> Option<Self> {
        if !["python3", "git", "git-lfs"].into_iter().all(has) {
            return None;
        }
        let giftless = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/giftless");
        if !giftless.join("giftless").is_dir() {
            assert!(std::env::var_os("CI").is_none(), "giftless must be installed: see tests/setup");
            println!("SKIPPED: there is no giftless; tests/setup installs it");
            return None;
        }
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let path = folder.path();
        let provider = match access {
            Access::Write => "[\"giftless.auth.allow_anon:read_write\"]",
            Access::Read => "[\"giftless.auth.allow_anon:read_only\"]",
            Access::Nothing => "[]",
        };
        let config = format!(
            "AUTH_PROVIDERS: {provider}\nLEGACY_ENDPOINTS: false\nTRANSFER_ADAPTERS:\n  basic:\n    \
             factory: giftless.transfer.basic_streaming:factory\n    options:\n      \
             storage_class: giftless.storage.local_storage:LocalStorage\n      storage_options: {{path: {}/store}}\n\
             PRE_AUTHORIZED_ACTION_PROVIDER: {{options: {{private_key: forge}}}}\n",
            path.display()
        );
        std::fs::write(path.join("giftless.yaml"), config).unwrap();
        let mut server = Command::new("python3");
        server
            .args(["-m", "flask", "--app", "giftless.wsgi_entrypoint", "run", "--with-threads", "--port"])
            .arg(port.to_string())
            .current_dir(path)
            .env("PYTHONPATH", giftless)
            .env("GIFTLESS_CONFIG_FILE", path.join("giftless.yaml"));
        Some(Self { server: Program::start(&mut server, port), folder })
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address)
    }

    /// Puts a file into `acme/demo.git`, by `git lfs` itself.
    pub(crate) fn put(&self) -> Stored {
        let path = self.folder.path();
        repositories(path);
        let work = path.join("work");
        git(&work, &["lfs", "install", "--local"]);
        git(&work, &["lfs", "track", "*.bin"]);
        let content: Vec<u8> = (0..75_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        std::fs::write(work.join("large.bin"), &content).unwrap();
        git(&work, &["add", "."]);
        git(&work, &["commit", "--quiet", "-m", "A large file"]);
        git(&work, &["remote", "add", "origin", &path.join("served/acme/demo.git").display().to_string()]);
        let place = self.url("/acme/demo.git/info/lfs");
        git(&work, &["config", "lfs.url", &place]);
        git(&work, &["config", &format!("lfs.{place}.locksverify"), "false"]);
        git(&work, &["push", "--quiet", "origin", "main"]);
        let oid = git(&work, &["lfs", "ls-files", "--long"]).split(' ').next().unwrap().to_owned();
        let kept = path.join("store/acme/demo").join(&oid);
        assert!(kept.is_file(), "git lfs has put the file there");
        Stored { oid, size: content.len() as u64, path: kept }
    }
}
