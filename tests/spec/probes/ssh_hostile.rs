//! Hostile SSH: each server misbehaves in its own way and in its own phase. Each check ends in time, with the right class
//! and within bounded memory.

use std::sync::Arc;

use russh::server::{Auth, Handler, PublicKeyOffer, VerifiedPublicKey, run_stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::measured::{Case, all_at_once, case};
use crate::servers::Server;
use crate::ssh_forge::{SshForge, key};

/// A message as it goes over the wire before there are keys (RFC 4253, section 6).
fn packet(payload: &[u8]) -> Vec<u8> {
    let short = 8 - (5 + payload.len()) % 8;
    let padding = if short < 4 { short + 8 } else { short };
    let length = u32::try_from(1 + payload.len() + padding).unwrap();
    [&length.to_be_bytes()[..], &[u8::try_from(padding).unwrap()], payload, &vec![0; padding]].concat()
}

fn string(text: &str) -> Vec<u8> {
    [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()
}

/// SSH_MSG_KEXINIT (RFC 4253, section 7.1), with what we can.
fn kexinit() -> Vec<u8> {
    let lists = [
        "curve25519-sha256",
        "ssh-ed25519",
        "aes256-ctr",
        "aes256-ctr",
        "hmac-sha2-256",
        "hmac-sha2-256",
        "none",
        "none",
        "",
        "",
    ];
    packet(&[&[20][..], &[7; 16], &lists.map(string).concat(), &[0; 5]].concat())
}

/// What a server does after it has said its first words.
#[derive(Clone)]
enum Then {
    Stays,
    Closes,
    Resets,
    /// Says this again and again, as fast as it is taken.
    Floods(Vec<u8>),
    /// Says this, a byte every tenth of a second.
    Drips(&'static [u8]),
}

async fn play(mut stream: TcpStream, first: Vec<u8>, then: Then) {
    let _ = stream.write_all(&first).await;
    match then {
        Then::Stays => {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        Then::Closes => {
            // What was sent to it is read first, so that closing is no reset.
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        Then::Resets => {
            let _ = stream.set_zero_linger();
        }
        Then::Floods(again) => {
            let much = again.repeat(64 * 1024 / again.len() + 1);
            while stream.write_all(&much).await.is_ok() {}
        }
        Then::Drips(bytes) => {
            for byte in bytes.iter().cycle() {
                if stream.write_all(&[*byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

const HELLO: &[u8] = b"SSH-2.0-Hostile_1\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_misbehave_before_there_are_keys_have_their_class_in_time_and_in_little_memory() {
    use Then::{Closes, Drips, Floods, Resets, Stays};
    let Some(forge) = SshForge::start("") else { return };
    let hello = |more: &[u8]| [HELLO, more].concat();
    let begun = hello(&kexinit());
    let long = |byte: u8| packet(&[&[2][..], &[0, 0, 0x40, 0], &[byte; 0x4000]].concat());
    let (not_ssh, idle) = ("does not speak SSH 2", "the server sent more than 1024 KiB without a whole answer");
    let cases: Vec<(&str, Vec<u8>, Then, &str, &str)> = vec![
        ("never speaks", vec![], Stays, "timeout", "in the key exchange"),
        ("drips its name", vec![], Drips(b"S"), "timeout", "in the key exchange"),
        ("a line without end", vec![], Floods(b"x".to_vec()), "protocol", not_ssh),
        ("lines without end", vec![], Floods(b"welcome\r\n".to_vec()), "protocol", not_ssh),
        ("another protocol", b"220 mx.example ESMTP\r\n".to_vec(), Closes, "connect", "closed the connection"),
        ("resets at once", vec![], Resets, "connect", "reset"),
        ("only names itself", hello(b""), Stays, "timeout", "in the key exchange"),
        ("names itself and closes", hello(b""), Closes, "connect", "closed the connection in the key exchange"),
        ("names itself and resets", hello(b""), Resets, "connect", ""),
        ("drips its algorithms", hello(b"\0\0\x40"), Drips(b"\x07"), "timeout", "in the key exchange"),
        (
            "a packet of 1 GB",
            hello(b"\x40\0\0\0\x04"),
            Floods(b"x".to_vec()),
            "protocol",
            "a packet of 1073741824 bytes",
        ),
        (
            "a packet of 4 GB",
            hello(b"\xff\xff\xff\xff\x04"),
            Floods(b"x".to_vec()),
            "protocol",
            "packet of 4294967295",
        ),
        ("a packet of no bytes", hello(b"\0\0\0\0"), Floods(b"\0".to_vec()), "protocol", "a packet of 0 bytes"),
        ("padding longer than the packet", hello(b"\0\0\0\x0c\xff"), Floods(b"\xff".to_vec()), "protocol", ""),
        ("junk", hello(b""), Floods(b"\x7f\x45\x4c\x46".to_vec()), "protocol", "a packet of"),
        ("words to be ignored", hello(b""), Floods(long(b'x')), "protocol", idle),
        ("messages of no known kind", hello(b""), Floods(packet(&[0xc0; 64])), "protocol", idle),
        ("only its algorithms", begun.clone(), Stays, "timeout", "in the key exchange"),
        (
            "closes after its algorithms",
            begun.clone(),
            Closes,
            "connect",
            "closed the connection in the key exchange",
        ),
        ("algorithms without end", hello(b""), Floods(kexinit()), "tls", "the key exchange failed"),
        ("words to be ignored after them", begun.clone(), Floods(long(b'x')), "protocol", idle),
        ("a reply that is none", [&begun[..], &packet(&[31, 0, 0, 0, 1])].concat(), Stays, "protocol", ""),
        (
            "says goodbye",
            hello(&packet(&[&[1, 0, 0, 0, 2][..], &string("too busy"), &string("")].concat())),
            Stays,
            "connect",
            "too busy",
        ),
    ];
    let mut servers = Vec::new();
    let mut asked: Vec<Case> = Vec::new();
    for (name, first, then, outcome, fault) in cases {
        let server = Server::raw(move |stream| Box::pin(play(stream, first.clone(), then.clone()))).await;
        asked.push(case(name, format!("ssh: {{to: '{}', skip_verify: true}}", server.address), outcome, fault));
        servers.push(server);
    }
    let good = format!("ssh: {{to: '{}', fingerprint: '{}'}}", forge.address, forge.fingerprint("host"));
    all_at_once(&asked, &good, 2, &[]).await;
}

/// A server that exchanges keys, and then says nothing to who wants to log in.
struct Mute;

impl Handler for Mute {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        std::future::pending().await
    }

    async fn auth_publickey_offered(&mut self, _: &str, _: PublicKeyOffer<'_>) -> Result<Auth, russh::Error> {
        std::future::pending().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_misbehave_once_there_are_keys_have_their_class_in_time_and_in_little_memory() {
    let Some(forge) = SshForge::start("AcceptEnv GIT_PROTOCOL") else { return };
    let folder = forge.folder.path();
    // What each key may do is said beside it: the server lets us in, and misbehaves then.
    let commands = [
        ("runs and says nothing", "sleep 20", "timeout", "waiting for the first byte"),
        ("ends without a word", "true", "corrupt", "cut short"),
        ("ends with a code", "exit 3", "server_error", "git-upload-pack ended with exit code 3"),
        ("goes away after the login", "kill -9 $PPID; sleep 5", "connect", ""),
        ("zeros without end", "cat /dev/zero", "protocol", "where the four digits of a pkt-line should be"),
        ("refs of length 3 without end", "yes 0003", "protocol", "the length 0003, which cannot be"),
        ("refs of length ffff without end", "yes ffff", "protocol", "a pkt-line of 65535 bytes"),
        (
            "complaints without end",
            "yes ERROR >&2",
            "protocol",
            "the server sent more than 1024 KiB without a whole answer",
        ),
        ("drips", "printf 00ff; while printf x; do sleep 0.1; done", "timeout", "reading the body"),
    ];
    let mut admitted = std::fs::read_to_string(folder.join("admitted")).unwrap();
    let user = forge.remote("", "user").user;
    let git = |address: std::net::SocketAddr, key: &str, trust: &str| {
        format!(
            "git: {{url: 'ssh://{user}@{address}{path}', auth: {{key_file: '{folder}/{key}'}}, ssh: {{{trust}}}}}",
            path = forge.remote("acme/demo.git", "user").path,
            folder = folder.display(),
        )
    };
    let pinned = format!("fingerprint: '{}'", forge.fingerprint("host"));
    let mut asked = Vec::new();
    for (place, (name, command, outcome, fault)) in commands.into_iter().enumerate() {
        let file = format!("forced{place}");
        key("ed25519", &file, folder);
        let public = std::fs::read_to_string(folder.join(format!("{file}.pub"))).unwrap();
        admitted.push_str(&format!("command=\"{command}\" {public}"));
        asked.push(case(name, git(forge.address, &file, &pinned), outcome, fault));
    }
    std::fs::write(folder.join("admitted"), admitted).unwrap();
    let host = std::fs::read_to_string(folder.join("host")).unwrap();
    let config = Arc::new(russh::server::Config {
        keys: vec![russh::keys::decode_secret_key(&host, None).unwrap()],
        ..russh::server::Config::default()
    });
    let mute = Server::raw(move |stream| {
        let config = config.clone();
        Box::pin(async move {
            if let Ok(session) = run_stream(config, stream, Mute).await {
                let _ = session.await;
            }
        })
    })
    .await;
    asked.push(case("says nothing to the login", git(mute.address, "user", &pinned), "timeout", "in the login"));
    // Every login is some processes of sshd's, and all begin at once.
    all_at_once(&asked, &git(forge.address, "user", &pinned), 6, &[]).await;
}
