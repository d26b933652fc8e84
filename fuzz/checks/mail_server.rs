//! Our own mail server, and whatever a client says to it.

use std::io;
use std::pin::Pin;
use std::sync::{LazyLock, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::runtime::Runtime;
use tripline::inbox::smtp::{Takes, converse};
use tripline::probe::wire::{smtp, step::Step};

/// What a client says, in pieces of a size.
struct Client<'a> {
    data: &'a [u8],
    piece: usize,
}

impl AsyncRead for Client<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let count = self.piece.min(self.data.len()).min(room.remaining());
        let (now, later) = self.data.split_at(count);
        room.put_slice(now);
        self.data = later;
        Poll::Ready(Ok(()))
    }
}

/// A mail and its recipients.
type Mail = (Vec<u8>, Vec<String>);

/// Takes mail for addresses that begin with `a`.
#[derive(Default)]
struct Letterbox(Mutex<Vec<Mail>>);

impl Takes for Letterbox {
    fn knows(&self, address: &str) -> bool {
        address.starts_with('a')
    }

    async fn keep(&self, mail: &[u8], to: Vec<String>) -> io::Result<()> {
        self.0.lock().map_err(|_| io::ErrorKind::Other)?.push((mail.to_vec(), to));
        Ok(())
    }
}

static RUNTIME: LazyLock<io::Result<Runtime>> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_time().build());

/// What was answered, and the mails that were kept.
fn conversation(data: &[u8], piece: usize) -> (Vec<u8>, Vec<Mail>) {
    let kept = Letterbox::default();
    let mut stream = tokio::io::join(Client { data, piece }, Vec::new());
    let Ok(runtime) = &*RUNTIME else { return Default::default() };
    let _ = runtime.block_on(converse(&mut stream, &kept, Duration::from_secs(3_600)));
    (stream.into_inner().1, kept.0.into_inner().unwrap_or_default())
}

/// Whatever a client says, and however it is cut, it is answered in replies of SMTP, and the same mails are kept, for those
/// who may get mail here, within bounds. A mail that was kept is kept the same when it is sent again: none can smuggle in
/// another.
pub(crate) fn mail_server(data: &[u8]) {
    let whole = conversation(data, data.len().max(1));
    for piece in [1, 7] {
        assert_eq!(conversation(data, piece), whole, "cut by {piece}");
    }
    let (said, mails) = whole;
    let mut rest = &said[..];
    while !rest.is_empty() {
        match smtp::reply(rest) {
            Ok(Step::Whole(_, taken)) => rest = &rest[taken..],
            other => panic!("{other:?}: {}", rest.escape_ascii()),
        }
    }
    for (mail, to) in mails {
        assert!(mail.len() <= 1024 * 1024 && (1..=100).contains(&to.len()));
        assert!(to.iter().all(|address| address.starts_with('a') && !address.contains(['\r', '\n', ' ', '>'])));
        let mut again = b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a>\r\nDATA\r\n".to_vec();
        for line in mail.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b".") && again.ends_with(b"\r\n") {
                again.push(b'.');
            }
            again.extend_from_slice(line);
        }
        again.extend_from_slice(b".\r\nQUIT\r\n");
        assert_eq!(conversation(&again, again.len()).1, [(mail, vec!["a".to_owned()])]);
    }
}
