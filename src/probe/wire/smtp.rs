//! Replies of SMTP (RFC 5321, section 4.2).

use super::step::{Step, line};
use crate::model::FailureClass;

/// The longest line of a reply that is read, in bytes; the RFC allows 512 (section 4.5.3.1.5).
pub const LONGEST_LINE: usize = 2_000;
/// The most lines of one reply that are read.
pub const MOST_LINES: usize = 100;

/// One reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// Its code, 200 to 599.
    pub code: u16,
    /// The text of each line, at least one; bytes that are no UTF-8 are replaced.
    pub lines: Vec<String>,
}

/// Reads one reply.
///
/// # Errors
/// In plain words, when the bytes are no reply or it is longer than the caps.
pub fn reply(bytes: &[u8]) -> Result<Step<Reply>, String> {
    let (mut rest, mut taken) = (bytes, 0);
    let mut code = None;
    let mut lines = Vec::new();
    loop {
        let Some((text, length)) = line(rest, LONGEST_LINE)? else { return Ok(Step::More(bytes.len() + 1)) };
        let (number, last, text) = split(text)?;
        if *code.get_or_insert(number) != number {
            return Err("the lines of one reply have different codes".into());
        }
        lines.push(String::from_utf8_lossy(text).into_owned());
        taken += length;
        rest = rest.get(length..).unwrap_or_default();
        if last {
            return Ok(Step::Whole(Reply { code: number, lines }, taken));
        }
        if lines.len() >= MOST_LINES {
            return Err(format!("a reply has more than {MOST_LINES} lines"));
        }
    }
}

/// The code of a line, whether it is the last one, and its text.
fn split(line: &[u8]) -> Result<(u16, bool, &[u8]), String> {
    let no_reply = || format!("`{}` is no SMTP reply", excerpt(line));
    let digits = line.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit)).ok_or_else(no_reply)?;
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    if !(200..600).contains(&code) {
        return Err(no_reply());
    }
    match line.get(3) {
        None => Ok((code, true, &[])),
        Some(b' ') => Ok((code, true, line.get(4..).unwrap_or_default())),
        Some(b'-') => Ok((code, false, line.get(4..).unwrap_or_default())),
        Some(_) => Err(no_reply()),
    }
}

/// The beginning of what was said, for a fault.
pub(in crate::probe) fn excerpt(line: &[u8]) -> String {
    let shown = String::from_utf8_lossy(line.get(..line.len().min(80)).unwrap_or_default()).into_owned();
    if line.len() > 80 { format!("{shown}…") } else { shown }
}

impl Reply {
    /// The whole text in one line.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.join(" ").trim().to_owned()
    }

    /// The subject and detail of the enhanced status code (RFC 3463) that the text begins with: 7 and 1 of `5.7.1`.
    #[must_use]
    pub fn enhanced(&self) -> Option<(u16, u16)> {
        let word = self.lines.first()?.split(' ').next()?;
        let mut parts = word.split('.').map(|part| part.parse::<u16>().ok());
        let (class, subject, detail) = (parts.next()??, parts.next()??, parts.next()??);
        (parts.next().is_none() && class == self.code / 100).then_some((subject, detail))
    }

    /// What a reply of refusal is called, by RFC 5321, section 4.2.3, RFC 4954 and RFC 3463; `None`: it is none.
    ///
    /// The server failed for now, 4xx: `server_error`. 530, 534, 535, 538: `unauthorized`. 5.7.x, a refusal by policy:
    /// `forbidden`. 550, 551, 5.1.x, no such mailbox: `not_found`. 521, 554: `server_error`. Any other: `client_error`.
    #[must_use]
    pub fn refusal(&self) -> Option<FailureClass> {
        Some(match (self.code, self.enhanced()) {
            (..400, _) => return None,
            (..500, _) => FailureClass::ServerError,
            (530 | 534 | 535 | 538, _) => FailureClass::Unauthorized,
            (_, Some((7, _))) => FailureClass::Forbidden,
            (550 | 551 | 553, None) | (_, Some((1, _))) => FailureClass::NotFound,
            (550 | 551, Some((2, _))) => FailureClass::NotFound,
            (521 | 554, _) => FailureClass::ServerError,
            _ => FailureClass::ClientError,
        })
    }
}

#[cfg(test)]
mod tests;
