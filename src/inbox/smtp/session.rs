//! One SMTP connection, from the greeting to QUIT (RFC 5321).

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use super::Takes;

/// The largest mail, in bytes.
const LARGEST_MAIL: usize = 1024 * 1024;

/// The longest line of a command; RFC 5321 section 4.5.3.1.4 asks for 512, extensions add to it.
const LONGEST_COMMAND: usize = 2_048;

/// The longest line of a mail with its end; RFC 5321 section 4.5.3.1.6.
const LONGEST_LINE: usize = 1_000;

/// The most recipients of one mail; RFC 5321 section 4.5.3.1.8.
const RECIPIENTS: usize = 100;

/// How many commands may be wrong before the connection is ended.
const MISTAKES: u32 = 20;

/// How many bytes and how much time one connection may take.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
const LIFE: Duration = Duration::from_mins(10);

/// What a line may do besides being answered.
enum Next {
    Go,
    Data,
    Quit,
}

/// The mail that is being given.
#[derive(Default)]
struct Envelope {
    from: Option<String>,
    to: Vec<String>,
}

/// Speaks SMTP until the client quits, breaks off or goes on for too long.
///
/// # Errors
/// When the connection breaks, or ends in the middle of a mail.
pub async fn serve<S, T: Takes>(stream: S, taker: &T, patience: Duration) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (input, output) = tokio::io::split(stream);
    let mut session = Session {
        input: BufReader::new(input.take(MOST_BYTES)),
        output,
        taker,
        patience,
        greeted: false,
        envelope: Envelope::default(),
        mistakes: 0,
    };
    match timeout(LIFE, session.run()).await {
        Ok(ended) => ended,
        Err(_) => session.say("421 this took too long").await,
    }
}

struct Session<'a, R, W, T> {
    input: BufReader<R>,
    output: W,
    taker: &'a T,
    patience: Duration,
    greeted: bool,
    envelope: Envelope,
    mistakes: u32,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin, T: Takes> Session<'_, R, W, T> {
    async fn run(&mut self) -> io::Result<()> {
        self.say("220 localhost ESMTP Tripline").await?;
        loop {
            let line = match self.read_line(LONGEST_COMMAND, true).await {
                Ok(Some(Ok(line))) => line,
                Ok(Some(Err(TooLong))) => return self.say("500 that line is too long").await,
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return self.say("421 are you there?").await,
                Err(error) => return Err(error),
            };
            let line = String::from_utf8_lossy(&line).into_owned();
            let (next, answer) = self.obey(line.trim());
            if answer.starts_with('5') {
                self.mistakes += 1;
                if self.mistakes > MISTAKES {
                    return self.say("421 too many mistakes").await;
                }
            }
            self.say(&answer).await?;
            match next {
                Next::Go => {}
                Next::Data => self.take_mail().await?,
                Next::Quit => return Ok(()),
            }
        }
    }

    /// What a command does, and the answer to it.
    fn obey(&mut self, line: &str) -> (Next, String) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let answer = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                self.greet();
                format!("250-localhost\r\n250-SIZE {LARGEST_MAIL}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 PIPELINING")
            }
            "HELO" => {
                self.greet();
                "250 localhost".into()
            }
            "MAIL" => self.mail(rest),
            "RCPT" => self.recipient(rest),
            "DATA" if self.envelope.to.is_empty() => "503 first say MAIL and RCPT".into(),
            "DATA" => return (Next::Data, "354 go on, and end with a dot on a line".into()),
            "RSET" => {
                self.envelope = Envelope::default();
                "250 ok".into()
            }
            "NOOP" => "250 ok".into(),
            "VRFY" => "252 everyone is welcome here".into(),
            "QUIT" => return (Next::Quit, "221 bye".into()),
            "EXPN" | "HELP" | "AUTH" | "STARTTLS" | "BDAT" => "502 not here".into(),
            _ => "500 what is that?".into(),
        };
        (Next::Go, answer)
    }

    fn greet(&mut self) {
        self.greeted = true;
        self.envelope = Envelope::default();
    }

    fn mail(&mut self, rest: &str) -> String {
        if !self.greeted {
            return "503 first say EHLO".into();
        }
        if self.envelope.from.is_some() {
            return "503 one mail at a time".into();
        }
        let Some((from, parameters)) = path(rest, "FROM:") else { return "501 write MAIL FROM:<address>".into() };
        let too_large = parameters.split_whitespace().any(|parameter| {
            let (key, size) = parameter.split_once('=').unwrap_or((parameter, ""));
            // A number that does not fit is too large as well.
            key.eq_ignore_ascii_case("SIZE") && size.parse::<usize>().map_or(true, |size| size > LARGEST_MAIL)
        });
        if too_large {
            return "552 that mail is too large".into();
        }
        self.envelope.from = Some(from);
        "250 ok".into()
    }

    fn recipient(&mut self, rest: &str) -> String {
        if self.envelope.from.is_none() {
            return "503 first say MAIL".into();
        }
        match path(rest, "TO:") {
            Some((to, _)) if !to.is_empty() => {
                if !self.taker.knows(&to) {
                    return "550 5.1.1 nobody here has that address".into();
                }
                if self.envelope.to.len() >= RECIPIENTS {
                    return "452 too many recipients".into();
                }
                self.envelope.to.push(to);
                "250 ok".into()
            }
            _ => "501 write RCPT TO:<address>".into(),
        }
    }

    /// Reads a mail up to its final dot, and keeps it unless something was wrong with it.
    async fn take_mail(&mut self) -> io::Result<()> {
        let envelope = std::mem::take(&mut self.envelope);
        let mut mail = Vec::new();
        let mut wrong = None;
        loop {
            match self.read_line(LONGEST_LINE, false).await? {
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
                Some(Err(TooLong)) => wrong = Some("500 a line of that mail is too long"),
                Some(Ok(line)) if line == b".\r\n" => break,
                Some(Ok(line)) => {
                    // A dot in front is doubled by the sender: RFC 5321 section 4.5.2.
                    let line = line.strip_prefix(b".").unwrap_or(&line);
                    if mail.len() + line.len() > LARGEST_MAIL {
                        wrong = Some("552 that mail is too large");
                    }
                    if wrong.is_none() {
                        mail.extend_from_slice(line);
                    }
                }
            }
        }
        if let Some(wrong) = wrong {
            return self.say(wrong).await;
        }
        match self.taker.keep(&mail, envelope.to).await {
            Ok(()) => self.say("250 kept").await,
            Err(error) => {
                tracing::warn!(%error, "a mail could not be kept");
                self.say("451 could not keep it, try again").await
            }
        }
    }

    /// Reads one line with its end, waiting as long as our patience lasts; `None` at the end of the stream.
    ///
    /// In a mail only CR LF ends a line, or a mail could smuggle in another; with `bare`, LF alone does as well. Of
    /// a line that is too long no more than `cap` bytes are kept in memory, but it is read to its end.
    async fn read_line(&mut self, cap: usize, bare: bool) -> io::Result<Option<Result<Vec<u8>, TooLong>>> {
        let mut line = Vec::new();
        let mut too_long = false;
        let mut last = 0;
        loop {
            let chunk =
                timeout(self.patience, self.input.fill_buf()).await.map_err(|_| io::ErrorKind::TimedOut)??;
            if chunk.is_empty() {
                return Ok(None);
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = chunk.get(..end.map_or(chunk.len(), |end| end + 1)).unwrap_or(chunk);
            let before_end = taken.len().checked_sub(2).and_then(|place| taken.get(place)).copied().unwrap_or(last);
            let ended = end.is_some() && (bare || before_end == b'\r');
            last = taken.last().copied().unwrap_or(last);
            too_long |= line.len() + taken.len() > cap;
            if !too_long {
                line.extend_from_slice(taken);
            }
            let count = taken.len();
            self.input.consume(count);
            if ended {
                return Ok(Some(if too_long { Err(TooLong) } else { Ok(line) }));
            }
            if too_long && bare {
                return Ok(Some(Err(TooLong)));
            }
        }
    }

    async fn say(&mut self, answer: &str) -> io::Result<()> {
        let answer = format!("{answer}\r\n");
        let written = timeout(self.patience, self.output.write_all(answer.as_bytes())).await;
        written.map_err(|_| io::ErrorKind::TimedOut)?
    }
}

/// A line that was longer than it may be.
struct TooLong;

/// The address between angle brackets, and the parameters after it.
fn path<'a>(text: &'a str, key: &str) -> Option<(String, &'a str)> {
    let (head, rest) = text.split_at_checked(key.len())?;
    let rest = rest.trim_start().strip_prefix('<')?;
    let (address, parameters) = rest.split_once('>')?;
    let clean = !address.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    (head.eq_ignore_ascii_case(key) && clean).then(|| (address.to_owned(), parameters))
}
