//! Turning a plain connection into TLS, in the words of the protocol that is spoken there.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::frame::{Broken, Seen};
use crate::model::{FailureClass, StartTls};

/// The longest line that is read, in bytes: RFC 5321, section 4.5.3.1, asks for 512, IMAP greetings take more.
const LONGEST_LINE: usize = 4 * 1024;
/// The most lines of one answer.
const MOST_LINES: usize = 64;

/// Asks for TLS; when this is done, the handshake may begin.
pub(super) async fn ask(protocol: StartTls, stream: &mut TcpStream, seen: &mut Seen) -> Result<(), Broken> {
    match protocol {
        StartTls::Smtp => {
            smtp_answer(stream, seen, "220").await?;
            say(stream, b"EHLO tripline.invalid\r\n").await?;
            smtp_answer(stream, seen, "250").await?;
            say(stream, b"STARTTLS\r\n").await?;
            smtp_answer(stream, seen, "220").await
        }
        StartTls::Imap => {
            let greeting = line(stream, seen).await?;
            if !greeting.starts_with("* OK") {
                return Err(refused(&greeting));
            }
            say(stream, b"a STARTTLS\r\n").await?;
            for _ in 0..MOST_LINES {
                let answer = line(stream, seen).await?;
                match answer.split_once(' ') {
                    Some(("a", rest)) if rest.starts_with("OK") => return Ok(()),
                    Some(("*", _)) => {}
                    _ => return Err(refused(&answer)),
                }
            }
            Err(Broken::failed(FailureClass::Protocol, format!("STARTTLS has no answer in {MOST_LINES} lines")))
        }
    }
}

/// Reads an answer of SMTP (RFC 5321, section 4.2.1) to its last line, which must have this code.
async fn smtp_answer(stream: &mut TcpStream, seen: &mut Seen, code: &str) -> Result<(), Broken> {
    for _ in 0..MOST_LINES {
        let line = line(stream, seen).await?;
        match (line.get(..3), line.as_bytes().get(3)) {
            (Some(found), Some(b'-')) if found == code => {}
            (Some(found), None | Some(b' ')) if found == code => return Ok(()),
            _ => return Err(refused(&line)),
        }
    }
    Err(Broken::failed(FailureClass::Protocol, format!("an answer has more than {MOST_LINES} lines")))
}

fn refused(line: &str) -> Broken {
    let code = line.get(..3).filter(|code| code.bytes().all(|digit| digit.is_ascii_digit()));
    let class = match code.and_then(|code| code.bytes().next()) {
        // "TLS not available" (RFC 3207, section 4), not another trouble that passes.
        _ if code == Some("454") => FailureClass::Tls,
        Some(b'4') => FailureClass::ServerError,
        Some(b'5') => FailureClass::Tls,
        _ if line.starts_with("a NO") || line.starts_with("a BAD") => FailureClass::Tls,
        _ if line.starts_with("* BYE") => FailureClass::ServerError,
        _ => FailureClass::Protocol,
    };
    Broken::failed(class, format!("TLS could not be asked for: the server said `{line}`"))
}

async fn say(stream: &mut TcpStream, words: &[u8]) -> Result<(), Broken> {
    stream.write_all(words).await.map_err(|_| lost())
}

/// Reads one line, byte by byte: what follows it belongs to TLS.
async fn line(stream: &mut TcpStream, seen: &mut Seen) -> Result<String, Broken> {
    let mut line = Vec::new();
    loop {
        match byte(stream, seen).await? {
            b'\n' => break,
            byte => line.push(byte),
        }
        if line.len() > LONGEST_LINE {
            let fault = format!("the server's line is longer than {} KiB", LONGEST_LINE / 1024);
            return Err(Broken::failed(FailureClass::Protocol, fault));
        }
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

async fn byte(stream: &mut TcpStream, seen: &mut Seen) -> Result<u8, Broken> {
    let byte = stream.read_u8().await.map_err(|_| lost())?;
    seen.hear(&[byte]);
    Ok(byte)
}

fn lost() -> Broken {
    Broken::failed(FailureClass::Connect, "the connection was closed or reset before TLS could be asked for")
}
