//! How much memory servers that misbehave can make us use, for every protocol but HTTP and SSH, which have files of their
//! own: what they are told by is held beside each protocol's other tests, and here once more while all are asked at once.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::dns::hostile::{Rogue, SOUND, framed, nothing, reply};
use super::git_hostile::{OID, endless, fetched, greeting, line, pack, serving};
use super::lfs_hostile::{DOWNLOAD, HELLO, object};
use super::mail_hostile::Step::{self, Flood, Hang, Hear, Say};
use super::mail_hostile::play;
use super::measured::{Case, all_at_once, case};
use super::{downloads, grpc, lfs_hostile, websocket};
use crate::servers::{Server, answer};

/// What is told of a server that says much and answers nothing.
const IDLE: &str = "KiB without a whole answer";

/// The cases, and the servers that they need while they are asked.
#[derive(Default)]
struct Siege {
    cases: Vec<Case>,
    servers: Vec<Server>,
}

impl Siege {
    /// One more; `@TO@` in its kind stands for the server's address.
    fn add(&mut self, server: Server, name: &str, kind: &str, outcome: &'static str, fault: &'static str) {
        self.cases.push(case(name, kind.replace("@TO@", &server.address.to_string()), outcome, fault));
        self.servers.push(server);
    }

    /// Asks all of them at once, and a server of mail that is well.
    async fn hold(self, seconds: u64) {
        let well = mail(vec![Say("* OK [CAPABILITY IMAP4rev1] ready\r\n"), Hang]).await;
        let good = format!("imap: {{to: '{}', encryption: none}}", well.address);
        all_at_once(&self.cases, &good, seconds, &[]).await;
    }
}

/// One that says this and then something again and again, as fast as it is taken.
async fn flooding(first: &[u8], again: &[u8]) -> Server {
    let (first, much): (Arc<[u8]>, Arc<[u8]>) = (first.into(), again.repeat(64 * 1024 / again.len() + 1).into());
    Server::raw(move |mut stream| {
        let (first, much) = (first.clone(), much.clone());
        Box::pin(async move {
            let (mut reading, mut writing) = stream.split();
            // What is answered to the flood is taken, so that only our own bounds hold it.
            let mut answers = tokio::io::sink();
            let taking = tokio::io::copy(&mut reading, &mut answers);
            let flood = async {
                let _ = writing.write_all(&first).await;
                // Interim answers are answers only once there is a question.
                tokio::time::sleep(Duration::from_millis(100)).await;
                while writing.write_all(&much).await.is_ok() {}
            };
            tokio::select! { _ = taking => (), () = flood => () }
        })
    })
    .await
}

async fn mail(steps: Vec<Step>) -> Server {
    Server::raw(move |stream| Box::pin(play(stream, steps.clone(), Arc::default()))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_servers() {
    let mut siege = Siege::default();
    let smtp = "smtp: {to: '@TO@', encryption: none, recipient: a@example.com}";
    let imap = "imap: {to: '@TO@', encryption: none, auth: {user: u, password: p}}";
    let round = "mail: {receive: {to: '@TO@', encryption: none, auth: {user: u, password: p}}, subject: x}";
    let hello = || vec![Say("220 mx.example ESMTP\r\n"), Hear];
    let ready = || vec![Say("* OK [CAPABILITY IMAP4rev1] ready\r\n"), Hear];
    let found = || {
        let opened = [
            Say("a1 OK done\r\n"),
            Hear,
            Say("* CAPABILITY IMAP4rev1\r\na2 OK done\r\n"),
            Hear,
            Say("a3 OK done\r\n"),
            Hear,
        ];
        [ready(), opened.to_vec()].concat()
    };
    let huge = || {
        let seven = [
            Say("* SEARCH 7\r\na4 OK done\r\n"),
            Hear,
            Say("* 1 FETCH (UID 7 RFC822.SIZE 1073741824)\r\na5 OK done\r\n"),
            Hear,
            Say("* 1 FETCH (BODY[]<0> {1073741824}\r\n"),
        ];
        [found(), seven.to_vec()].concat()
    };
    let cases: Vec<(&str, &str, Vec<Step>, Step, &str)> = vec![
        ("a greeting of SMTP without end", smtp, vec![], Flood(b"220-hello\r\n"), "more than 100 lines"),
        ("a line of SMTP without end", smtp, vec![], Flood(b"2"), "a line is longer than 2000 bytes"),
        ("what it can, without end", smtp, hello(), Flood(b"250-SIZE 1\r\n"), "more than 100 lines"),
        ("a line of IMAP without end", imap, vec![], Flood(b"*"), "a line is longer than 65536 bytes"),
        ("words of IMAP without end", imap, ready(), Flood(b"* 1 EXISTS\r\n"), "has no end"),
        ("literals without end", imap, ready(), Flood(b"* X {9}\r\n123456789\r\n"), "has no end"),
        ("numbers without end", round, found(), Flood(b"* SEARCH 1 2 3 4 5 6 7 8 9\r\n"), "has no end"),
        ("a mail of 1 GB", round, huge(), Flood(b"x"), "announces 1073741824 bytes at once"),
    ];
    for (name, kind, mut steps, flood, fault) in cases {
        steps.push(flood);
        siege.add(mail(steps).await, name, kind, "protocol", fault);
    }
    siege.hold(2).await;
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpc_and_websocket_servers() {
    let mut siege = Siege::default();
    let to = "grpc: {to: '@TO@'}";
    let settings = frame(4, 0, 0, &[]);
    siege.add(grpc::answering(grpc::Answer::Endless).await, "an answer without end", to, "protocol", "longer than");
    siege.add(grpc::answering(grpc::Answer::HugeTrailers).await, "trailers of a MB", to, "protocol", "");
    siege.add(flooding(b"", b"\xff").await, "junk", to, "protocol", "");
    siege.add(flooding(b"", &settings).await, "settings without end", to, "protocol", IDLE);
    let ping = frame(6, 0, 0, &[7; 8]);
    siege.add(flooding(&settings, &ping).await, "pings without end", to, "protocol", IDLE);
    // HEADERS without END_HEADERS, and then CONTINUATION after CONTINUATION.
    let begun = [settings.clone(), frame(1, 0, 1, &[0x88])].concat();
    let more = frame(9, 0, 1, &[b"\x40\x0a"[..].to_vec(), vec![b'x'; 10], vec![1, b'y']].concat());
    siege.add(flooding(&begun, &more).await, "headers without end", to, "protocol", "");
    // `:status: 103`, again and again, for the first stream.
    let interim = frame(1, 4, 1, b"\x48\x03103");
    siege.add(flooding(&settings, &interim).await, "interim answers without end", to, "protocol", IDLE);
    // A window of a stream that nobody opened, and data for it.
    let window = frame(8, 0, 0, &[0, 0, 0, 1]);
    siege.add(flooding(&settings, &window).await, "windows without end", to, "protocol", IDLE);

    let socket = "websocket: {url: 'ws://@TO@/', send: hi}";
    use websocket::Play::{After, Flood};
    let count = || Arc::<AtomicUsize>::default();
    let head = b"HTTP/1.1 101 Switching Protocols\r\nx: ";
    let gigabyte = After(&[0x81, 127, 0, 0, 0, 0, 0x40, 0, 0, 0], true);
    for (name, play, outcome) in [
        ("a header without end", Flood(head, b"a"), "protocol"),
        ("headers without end", Flood(b"HTTP/1.1 101 Switching Protocols\r\n", b"x: a\r\n"), "protocol"),
        ("a message of 1 GB", gigabyte, "protocol"),
        ("parts without end", After(&[0x01, 0], true), "protocol"),
    ] {
        siege.add(websocket::playing(play, count()).await, name, socket, outcome, "");
    }
    // Half a million empty frames take their time in a build that is not optimized.
    siege.hold(5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn name_servers_ports_and_commands() {
    let mut siege = Siege::default();
    let circle = Rogue::new(
        |question| {
            let end = u8::try_from(reply(question, SOUND, 0, &[]).len()).unwrap();
            vec![reply(question, SOUND, 255, &[0xc0, end, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7])]
        },
        nothing,
        Duration::ZERO,
    )
    .await;
    // As many records as an answer can have, each with a name that is a pointer.
    let crowd = Rogue::new(
        nothing,
        |question| {
            let record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7];
            let mut whole = reply(question, SOUND, 0, &record.repeat(4_000));
            whole[6..8].copy_from_slice(&4_000_u16.to_be_bytes());
            std::iter::once(framed(&whole)).chain(vec![vec![0; 65_536]; 1_000]).collect()
        },
        Duration::ZERO,
    )
    .await;
    let drips = Rogue::new(
        nothing,
        |_| std::iter::once(vec![0xff, 0xff]).chain(std::iter::repeat_n(vec![0], 1_000)).collect(),
        Duration::from_millis(50),
    )
    .await;
    let dns = |server: &Rogue, rest: &str| {
        format!("dns: {{name: forge.example, type: A, server: '{}'{rest}}}", server.address)
    };
    siege.cases.push(case("a name that points to itself", dns(&circle, ""), "protocol", "no message of DNS"));
    let one = ", over: tcp, answers: [192.0.2.8]";
    siege.cases.push(case("an answer of thousands", dns(&crowd, one), "expectation", ""));
    siege.cases.push(case("an answer that drips", dns(&drips, ", over: tcp"), "timeout", "reading"));
    let line = "tcp: {to: '@TO@', read: line}";
    siege.add(flooding(b"", b"x").await, "a line without end", line, "protocol", "");
    siege.add(flooding(b"", b"x\n").await, "lines without end", "tcp: {to: '@TO@', read: close}", "success", "");
    siege.add(flooding(b"", b"\x16\x03\x03\x40\0").await, "a handshake without end", "tls: {to: '@TO@'}", "tls", "");
    let starttls = "tls: {to: '@TO@', starttls: smtp}";
    siege.add(flooding(b"", b"220-hello\r\n").await, "a greeting without end", starttls, "protocol", "");
    siege.cases.push(case("output without end", "exec: {command: [/usr/bin/yes]}", "protocol", "more than 16 MiB"));
    siege.hold(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_of_repositories_and_files() {
    let mut siege = Siege::default();
    let refs = "git: {url: 'http://@TO@/demo.git'}";
    let fetch = "git: {url: 'http://@TO@/demo.git', depth: fetch, pack_cap: 1MiB}";
    let long = line(format!("{OID} refs/heads/{}\n", "a".repeat(8_000)).as_bytes());
    let first = line(format!("{OID} HEAD\0shallow\n").as_bytes());
    siege.add(
        endless(first.clone(), long.repeat(8)).await.0,
        "long names without end",
        refs,
        "protocol",
        "67108864 bytes",
    );
    let short: Vec<u8> = (0..10_000).flat_map(|n| line(format!("{OID} refs/heads/{n}\n").as_bytes())).collect();
    siege.add(endless(first, short).await.0, "refs without end", refs, "protocol", "");
    for (name, said, fault) in [
        ("a pkt-line of 3", &b"0003"[..], "the length 0003, which cannot be"),
        ("a pkt-line of ffff", b"ffffabc", "a pkt-line of 65535 bytes"),
    ] {
        siege.add(serving(said.to_vec(), Vec::new()).await, name, refs, "protocol", fault);
    }
    let progress = line(&[b"\x02", &[b'.'; 60_000][..]].concat());
    siege.add(endless(greeting(OID), progress).await.0, "progress without end", fetch, "protocol", "17825792 bytes");
    let commit = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nBegin\n";
    let entry = [0x90 | u8::try_from(commit.len() & 15).unwrap(), u8::try_from(commit.len() >> 4).unwrap()];
    // A delta that says 16 TiB; one that says ten bytes and becomes 512 MiB; one that says 512 MiB and is that.
    let zeros = vec![0; 512 << 20];
    let packs = [
        ("a pack with a wrong checksum", pack(&entry, commit), "the checksum at its end"),
        (
            "a delta of 16 TiB",
            pack(&[0xe0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0x05], b"delta"),
            "17592186044416 bytes",
        ),
        ("a delta that is more than it says", pack(&[0x6a, 0x05], &zeros), "10 bytes is announced, and more came"),
        ("a delta of 512 MiB", pack(&[0xe0, 0x80, 0x80, 0x80, 0x10, 0x05], &zeros), ""),
    ];
    drop(zeros);
    for (name, pack, fault) in packs {
        siege.add(serving(greeting(OID), fetched(&pack)).await, name, fetch, "corrupt", fault);
    }
    let lfs = format!("lfs: {{url: 'http://@TO@/demo.git', oid: '{HELLO}', size: 6}}");
    let more =
        [answer("200 OK", "", "").replace("content-length: 0\r\n", "").into_bytes(), vec![b'x'; 8 << 20]].concat();
    siege.add(
        lfs_hostile::serving(object(6, DOWNLOAD), more).await,
        "a file of 8 MB",
        &lfs,
        "corrupt",
        "expected 6 bytes",
    );
    let batch = " ".repeat(64 << 20);
    siege.add(lfs_hostile::serving(batch, Vec::new()).await, "a batch of 64 MB", &lfs, "protocol", "1048576 bytes");
    // As a page that is looked at, and as an archive.
    let bomb = downloads::bomb();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len());
    let said: Arc<[u8]> = [head.as_bytes(), bomb].concat().into();
    let endless: Arc<[u8]> = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &vec![b'x'; 8 << 20]].concat().into();
    let serve = |said: &Arc<[u8]>| {
        let said = said.clone();
        Server::raw(move |mut stream| {
            let said = said.clone();
            Box::pin(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(&said).await;
                let _ = stream.shutdown().await;
            })
        })
    };
    let page = "http: {url: 'http://@TO@/'}\n    expect: [size(body) < 5]";
    siege.add(serve(&said).await, "a page of 1 GB", page, "expectation", "");
    let archive = "http: {url: 'http://@TO@/', download: {integrity: gzip, max_size: 1KiB}}";
    siege.add(serve(&said).await, "an archive of 1 GB", archive, "corrupt", "");
    let noise = "http: {url: 'http://@TO@/', download: {max_size: 1MiB}}";
    siege.add(serve(&endless).await, "a download of 8 MB", noise, "corrupt", "");
    // All of these end by themselves, a busy machine later than a quiet one.
    siege.hold(40).await;
}
