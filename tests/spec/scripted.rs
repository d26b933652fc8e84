//! Servers in Python, by packages that this project did not write: grpcio and websockets, from Debian.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::servers::Authority;

/// A running server; it ends with this value.
pub(crate) struct Scripted {
    child: Child,
    pub(crate) port: u16,
    _directory: tempfile::TempDir,
}

impl Scripted {
    /// Starts `tests/sockets/SCRIPT.py` on a free port, with TLS for `localhost` where there is an authority. `options`
    /// is what else the script is told.
    pub(crate) fn start(script: &str, authority: Option<&Authority>, mut options: serde_json::Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        if let Some(authority) = authority {
            let (certificate, key) = authority.sign(&["localhost", "127.0.0.1"], false);
            let paths = [directory.path().join("cert.pem"), directory.path().join("key.pem")];
            std::fs::write(&paths[0], certificate).unwrap();
            std::fs::write(&paths[1], key).unwrap();
            (options["cert"], options["key"]) = (json!(paths[0]), json!(paths[1]));
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sockets").join(format!("{script}.py"));
        let mut child = Command::new("/usr/bin/python3")
            .arg(path)
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("these tests need /usr/bin/python3: install the Debian package python3");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect(
            "a server of the tests did not start; if Python says that a module is missing, install the Debian \
             packages python3-grpcio, python3-protobuf and python3-websockets",
        );
        Self { child, port, _directory: directory }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
