//! nginx with a certificate of our own, closing every connection after one answer.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::measure::HOST;

/// It runs until it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) ca: PathBuf,
}

/// A certificate for the name of the local server, and its key, in PEM.
pub(crate) fn pair() -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec![HOST.into()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// Ends a process in good order.
pub(crate) fn stop(child: &mut Child) {
    let _ = kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM);
    let _ = child.wait();
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
        let (certificate, key) = pair();
        let (ca, key_file) = (folder.join("server.pem"), folder.join("server.key"));
        std::fs::write(&ca, certificate).unwrap();
        std::fs::write(&key_file, key).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = folder.join("nginx.conf");
        let (root, ca_shown, key_shown) = (folder.display(), ca.display(), key_file.display());
        std::fs::write(&config, format!(
            "daemon off; worker_processes 2; pid {root}/nginx.pid; error_log {root}/nginx.err;\n\
             events {{ worker_connections 8192; }}\n\
             http {{ access_log off; keepalive_timeout 0; client_body_temp_path {root}/b; proxy_temp_path {root}/p;\n\
               fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;\n\
               server {{ listen {address} ssl backlog=8192; ssl_certificate {ca_shown}; ssl_certificate_key {key_shown};\n\
                 ssl_session_cache off; ssl_session_tickets off; location / {{ return 200 'Repositories of the forge'; }} }} }}\n"
        )).unwrap();
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&config)
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is needed: apt-get install nginx-light");
        let until = Instant::now() + Duration::from_secs(5);
        while std::net::TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "nginx does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, address, ca }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}
