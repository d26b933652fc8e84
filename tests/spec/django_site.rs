//! A site with accounts that others wrote: Django's own sign-in, admin and forms, django-otp and django-oauth-toolkit,
//! from PyPI.

use std::path::Path;
use std::process::Command;

use crate::network::{Program, free_port, has};

/// The site, with one user.
pub(crate) struct DjangoSite {
    folder: tempfile::TempDir,
    server: Program,
}

impl DjangoSite {
    /// Starts it; `None`, said by name, where a part is not installed. Its mail goes to this port of 127.0.0.1, and that to
    /// its user to this address.
    pub(crate) fn start(smtp: u16, address: &str) -> Option<Self> {
        if !has("python3") {
            return None;
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let django = root.join("target/django");
        if !django.join("django").is_dir() {
            assert!(std::env::var_os("CI").is_none(), "Django must be installed: see tests/setup");
            println!("SKIPPED: there is no Django; tests/setup installs it");
            return None;
        }
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let mut site = Command::new("python3");
        site.arg(root.join("tests/django/accounts.py"))
            .arg(folder.path())
            .args([&port.to_string(), &smtp.to_string(), address])
            .env("PYTHONPATH", django)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        Some(Self { server: Program::start(&mut site, port), folder })
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.server.address
    }

    /// All that the site gave out and nobody else may know: sessions and tokens.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let database = rusqlite::Connection::open(self.folder.path().join("db.sqlite3")).unwrap();
        let all = "SELECT session_key FROM django_session UNION SELECT token FROM oauth2_provider_accesstoken \
                   UNION SELECT token FROM oauth2_provider_refreshtoken";
        let mut query = database.prepare(all).unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}
