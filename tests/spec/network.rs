//! Servers that others wrote, started on free ports: OpenSSL's, Python's, Knot DNS.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// A process and all that it starts, which run until this is dropped.
pub(crate) struct Group(Child);

impl Group {
    /// Starts the program in a group of its own.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.process_group(0).spawn().unwrap_or_else(|why| panic!("{command:?}: {why}")))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let group = Pid::from_raw(i32::try_from(self.0.id()).unwrap());
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

/// A server that runs until this is dropped.
pub(crate) struct Program {
    _group: Group,
    pub(crate) address: SocketAddr,
}

/// Whether this machine has the command. Says by name what is left out where it has not; in CI it must have it.
pub(crate) fn has(command: &str) -> bool {
    let paths = std::env::var("PATH").unwrap_or_default();
    let folders = paths.split(':').chain(["/usr/sbin", "/sbin"]);
    let there = folders.map(Path::new).any(|folder| folder.join(command).is_file());
    if !there {
        assert!(std::env::var_os("CI").is_none(), "{command} must be installed: see tests/setup");
        println!("SKIPPED: there is no {command}; tests/setup installs it");
    }
    there
}

/// A port of 127.0.0.1 on which nothing listens at this moment, neither by TCP nor by UDP.
pub(crate) fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if std::net::UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Program {
    /// Starts the program, which serves at this port of 127.0.0.1, and waits until it accepts connections.
    pub(crate) fn start(command: &mut Command, port: u16) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let quiet = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let program = Self { _group: Group::start(quiet), address };
        let patience = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < patience, "{command:?} does not accept connections");
            std::thread::sleep(Duration::from_millis(20));
        }
        program
    }
}
