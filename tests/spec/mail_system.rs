//! A real mail system that this project did not write: Debian's Postfix takes mail by SMTP and hands it to Debian's
//! Dovecot, which gives it out by IMAP.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::servers::Authority;

/// The user who has a mailbox; the password follows from the name.
pub(crate) const USER: &str = "inbox@example.com";
pub(crate) const PASSWORD: &str = "secret-of-inbox@example.com";

/// A running mail system; it ends with this value.
pub(crate) struct MailSystem {
    dovecot: Child,
    postfix: Option<PathBuf>,
    directory: tempfile::TempDir,
    /// SMTP, with STARTTLS offered.
    pub(crate) smtp: u16,
    /// SMTP, with TLS from the first byte.
    pub(crate) smtps: u16,
    /// IMAP, with STARTTLS offered and no login without.
    pub(crate) imap: u16,
    /// IMAP, with TLS from the first byte.
    pub(crate) imaps: u16,
    /// Where mail for `probes.example.com` is handed on to by SMTP; nothing listens there yet.
    pub(crate) sink: u16,
    lmtp: u16,
}

/// Why it cannot be had here, if it cannot.
fn lacking() -> Option<&'static str> {
    let there = |path: &str| Path::new(path).exists();
    if !there("/usr/sbin/dovecot") || !there("/usr/lib/dovecot/lmtp") || !there("/usr/lib/dovecot/imap") {
        return Some("install the Debian packages dovecot-imapd and dovecot-lmtpd");
    }
    if !there("/usr/sbin/postfix") {
        return Some("install the Debian package postfix");
    }
    // Postfix and Dovecot change to users of their own.
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    (!root).then_some("run the tests as root")
}

fn free_ports<const N: usize>() -> [u16; N] {
    let held: Vec<TcpListener> = (0..N).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    std::array::from_fn(|index| held[index].local_addr().unwrap().port())
}

fn run(command: &mut Command) {
    let done = command.stdin(Stdio::null()).output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

impl MailSystem {
    /// Starts one whose certificate is for `localhost` and `127.0.0.1`, with Postfix or with Dovecot alone. `None`,
    /// said aloud, where it cannot be had; in CI that is a failure.
    pub(crate) fn start(test: &str, authority: &Authority, postfix: bool) -> Option<Self> {
        if let Some(lack) = lacking() {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{test} needs a mail system: {lack}");
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "SKIPPED: {test} needs a mail system: {lack}");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o755)).unwrap();
        let (certificate, key) = authority.sign(&["localhost", "127.0.0.1"], false);
        std::fs::write(root.join("cert.pem"), certificate).unwrap();
        std::fs::write(root.join("key.pem"), key).unwrap();
        std::fs::create_dir(root.join("mail")).unwrap();
        run(Command::new("chown").arg("nobody:nogroup").arg(root.join("mail")));
        let [smtp, smtps, imap, imaps, lmtp, sasl, sink] = free_ports();
        let at = root.display().to_string();
        let ports = [
            ("IMAPS", imaps),
            ("IMAP", imap),
            ("LMTP", lmtp),
            ("SASL", sasl),
            ("SMTPS", smtps),
            ("SMTP", smtp),
            ("SINK", sink),
        ];
        let write = |name: &str, to: &Path| {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail").join(name);
            let mut text = std::fs::read_to_string(source).unwrap().replace("@ROOT@", &at);
            for (name, port) in ports {
                text = text.replace(&format!("@{name}@"), &port.to_string());
            }
            std::fs::write(to, text).unwrap();
        };
        write("dovecot.conf", &root.join("dovecot.conf"));
        let dovecot = Command::new("/usr/sbin/dovecot")
            .args(["-F", "-c"])
            .arg(root.join("dovecot.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut system = Self { dovecot, postfix: None, directory, smtp, smtps, imap, imaps, sink, lmtp };
        if postfix {
            let home = system.directory.path().join("postfix");
            for part in ["", "queue", "data", "log"] {
                std::fs::create_dir(home.join(part)).unwrap();
            }
            run(Command::new("chown").arg("postfix").arg(home.join("data")));
            write("main.cf", &home.join("main.cf"));
            write("master.cf", &home.join("master.cf"));
            system.postfix = Some(home.clone());
            run(Command::new("/usr/sbin/postfix").arg("-c").arg(&home).arg("start"));
            system.wait_for(smtps);
        }
        system.wait_for(imaps);
        system.wait_for(lmtp);
        Some(system)
    }

    fn wait_for(&self, port: u16) {
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "the mail system did not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        let read = |path: &str| std::fs::read_to_string(self.directory.path().join(path)).unwrap_or_default();
        format!("{}\n{}", read("dovecot.log"), read("postfix/log/mail.log"))
    }

    /// Puts a mail into the mailbox as it is, by LMTP.
    pub(crate) fn deliver(&self, mail: &[u8]) {
        use std::io::{BufRead, BufReader, Write};
        let mut stream = TcpStream::connect(("127.0.0.1", self.lmtp)).unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut wait = |code: &str| loop {
            let line = lines.next().unwrap().unwrap();
            assert!(line.starts_with(code), "{line}");
            if line.as_bytes().get(3) != Some(&b'-') {
                return;
            }
        };
        wait("220");
        let recipient = format!("RCPT TO:<{USER}>\r\n");
        for (line, code) in
            [("LHLO test\r\n", "250"), ("MAIL FROM:<>\r\n", "250"), (&recipient, "250"), ("DATA\r\n", "354")]
        {
            stream.write_all(line.as_bytes()).unwrap();
            wait(code);
        }
        stream.write_all(mail).unwrap();
        stream.write_all(b"\r\n.\r\n").unwrap();
        wait("250");
    }

    /// How many mails lie in the mailbox.
    pub(crate) fn count(&self) -> usize {
        let mailbox = self.directory.path().join("mail").join(USER);
        let count = |part: &str| std::fs::read_dir(mailbox.join(part)).map_or(0, Iterator::count);
        count("new") + count("cur")
    }
}

impl Drop for MailSystem {
    fn drop(&mut self) {
        if let Some(home) = &self.postfix {
            let _ = Command::new("/usr/sbin/postfix").arg("-c").arg(home).arg("abort").output();
        }
        let _ = Command::new("kill").arg(self.dovecot.id().to_string()).output();
        let _ = self.dovecot.wait();
    }
}
