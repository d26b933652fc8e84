//! A real mail server that this project did not write: Debian's aiosmtpd.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use tripline::model::{SmtpSecurity, SmtpServer};

/// A running mail server; it ends with this value.
pub(crate) struct MailServer {
    child: Child,
    pub(crate) port: u16,
    mails: PathBuf,
    _directory: tempfile::TempDir,
}

impl MailServer {
    /// Starts one with these options (see tests/smtp/server.py) on a free port, or on that of the options.
    pub(crate) fn start(mut options: Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        options["dir"] = json!(directory.path());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/smtp/server.py");
        let mut child = Command::new("/usr/bin/python3")
            .arg(script)
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("these tests need /usr/bin/python3: install the Debian packages python3 and python3-aiosmtpd");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect(
            "the mail server of the tests did not start; if Python says that there is no module aiosmtpd, install \
             the Debian package python3-aiosmtpd",
        );
        Self { child, port, mails: directory.path().to_owned(), _directory: directory }
    }

    /// The mails taken so far, in order.
    pub(crate) fn mails(&self) -> Vec<Taken> {
        let mut taken: Vec<(u32, Taken)> = std::fs::read_dir(&self.mails)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
            .map(|path| {
                let number = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
                let envelope = std::fs::read(path.with_extension("json")).unwrap();
                let envelope = serde_json::from_slice(&envelope).unwrap();
                (number, Taken { source: std::fs::read(path).unwrap(), envelope })
            })
            .collect();
        taken.sort_by_key(|(number, _)| *number);
        taken.into_iter().map(|(_, mail)| mail).collect()
    }

    /// Whether a mail arrived that it, as it was told, never answers.
    pub(crate) fn is_hanging(&self) -> bool {
        self.mails.join("hanging").exists()
    }

    /// The server as a config names it.
    pub(crate) fn address(&self, security: SmtpSecurity) -> SmtpServer {
        SmtpServer { host: "127.0.0.1".into(), port: self.port, security, login: None, ca: None }
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A mail as the server took it.
pub(crate) struct Taken {
    pub(crate) source: Vec<u8>,
    /// `{"from": …, "to": […]}`
    pub(crate) envelope: Value,
}

/// A certificate authority and a certificate for 127.0.0.1, as PEM files.
pub(crate) struct Certificates {
    pub(crate) ca: Bytes,
    directory: tempfile::TempDir,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = ca.self_signed(&ca_key).unwrap();
        let leaf = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
        let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("cert.pem"), leaf.pem()).unwrap();
        std::fs::write(directory.path().join("key.pem"), key.serialize_pem()).unwrap();
        Self { ca: root.pem().into(), directory }
    }

    /// The same options with this certificate.
    pub(crate) fn in_options(&self, mut options: Value) -> Value {
        options["certificate"] = json!(self.directory.path().join("cert.pem"));
        options["key"] = json!(self.directory.path().join("key.pem"));
        options
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until it is so, for what another process does; fails after ten seconds.
pub(crate) async fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(10), "did not come about: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
