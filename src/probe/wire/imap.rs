//! Responses of IMAP (RFC 9051, section 7; RFC 3501 says the same of what is read here).

use super::smtp::excerpt;
use super::step::{Step, line};
use crate::model::FailureClass;

/// The longest line that is read, in bytes; a literal within it is not counted.
pub const LONGEST_LINE: usize = 64 * 1024;
/// The most tokens of one response.
const MOST_TOKENS: usize = 10_000;
/// The most literals of one response.
const MOST_LITERALS: usize = 16;

/// One response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Response {
    /// `+ …`: the server waits for more of the command.
    Continue(String),
    /// `* …`: news, or a part of what was asked for.
    Untagged(Vec<Token>),
    /// `* OK …`, `* NO …`, `* BAD …`, `* BYE …` or `* PREAUTH …`.
    State(Status),
    /// `tag OK …`, `tag NO …` or `tag BAD …`: the command is done.
    Done(String, Status),
}

/// The state that a response tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// In which way it went.
    pub word: Word,
    /// The code in brackets, without them: `UIDVALIDITY 3`; empty: none.
    pub code: String,
    /// The text for people.
    pub text: String,
}

/// In which way it went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// Well.
    Ok,
    /// It was refused.
    No,
    /// It was not understood.
    Bad,
    /// The server ends the conversation.
    Bye,
    /// The server greets someone whom it knows already.
    PreAuth,
}

/// A part of an untagged response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Token {
    /// A word or a number: `EXISTS`, `BODY[HEADER]<0>`.
    Atom(String),
    /// A quoted string or a literal.
    Text(Vec<u8>),
    /// `(`
    Open,
    /// `)`
    Close,
}

/// Reads one response whose literals are together at most `most_literal` bytes long.
///
/// # Errors
/// In plain words, when the bytes are no response or it is longer than the caps.
pub fn response(bytes: &[u8], most_literal: usize) -> Result<Step<Response>, String> {
    // The pieces between literals, each with the literal behind it.
    let (mut pieces, mut at, mut literals) = (Vec::<(&[u8], Option<&[u8]>)>::new(), 0_usize, 0_usize);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some((text, length)) = line(rest, LONGEST_LINE)? else { return Ok(Step::More(bytes.len() + 1)) };
        at += length;
        let Some((text, size)) = announced(text)? else {
            pieces.push((text, None));
            break;
        };
        literals = literals.saturating_add(size);
        if literals > most_literal {
            return Err(format!("the server announces {size} bytes at once, and at most {most_literal} are read"));
        }
        if pieces.len() >= MOST_LITERALS {
            return Err(format!("a response has more than {MOST_LITERALS} literals"));
        }
        let end = at.saturating_add(size);
        let Some(literal) = bytes.get(at..end) else { return Ok(Step::More(end.saturating_add(1))) };
        pieces.push((text, Some(literal)));
        at = end;
    }
    Ok(Step::Whole(meaning(&pieces)?, at))
}

/// A line that ends with the size of a literal: the line before it, and the size. Text for people may end so as well;
/// it is never in a response that may have a literal.
fn announced(line: &[u8]) -> Result<Option<(&[u8], usize)>, String> {
    if !line.starts_with(b"* ") && line.first().is_some_and(|first| first.is_ascii_alphanumeric() || *first == b'+') {
        let first_of_tail = line.iter().position(|byte| *byte == b' ').map(|space| &line[space..]);
        if line.starts_with(b"+ ") || first_of_tail.is_some_and(|tail| status(tail.trim_ascii()).is_some()) {
            return Ok(None);
        }
    }
    if line.strip_prefix(b"* ").is_some_and(|rest| status(rest).is_some()) {
        return Ok(None);
    }
    let Some(open) = line.strip_suffix(b"}").and_then(|_| line.iter().rposition(|byte| *byte == b'{')) else {
        return Ok(None);
    };
    let digits = line.get(open + 1..line.len() - 1).unwrap_or_default();
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Ok(None);
    }
    let size = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(usize::MAX);
    Ok(Some((line.get(..open).unwrap_or_default(), size)))
}

fn meaning(pieces: &[(&[u8], Option<&[u8]>)]) -> Result<Response, String> {
    let first = pieces.first().map_or(&[][..], |(text, _)| *text);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let no_response = || format!("`{}` is no IMAP response", excerpt(first));
    if first == b"+" {
        return Ok(Response::Continue(String::new()));
    }
    if let Some(rest) = first.strip_prefix(b"+ ") {
        return Ok(Response::Continue(text(rest)));
    }
    if let Some(rest) = first.strip_prefix(b"* ") {
        return match status(rest) {
            Some(status) => Ok(Response::State(status)),
            None => Ok(Response::Untagged(tokens(pieces)?)),
        };
    }
    let space = first.iter().position(|byte| *byte == b' ').ok_or_else(no_response)?;
    let (tag, rest) = first.split_at(space);
    let sound = !tag.is_empty() && tag.len() <= 32 && tag.iter().all(u8::is_ascii_alphanumeric);
    match status(rest.get(1..).unwrap_or_default()).filter(|_| sound) {
        Some(status) if !matches!(status.word, Word::Bye | Word::PreAuth) => Ok(Response::Done(text(tag), status)),
        _ => Err(no_response()),
    }
}

/// `OK [CODE] text`, in any case of letters.
fn status(line: &[u8]) -> Option<Status> {
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let words =
        [("OK", Word::Ok), ("NO", Word::No), ("BAD", Word::Bad), ("BYE", Word::Bye), ("PREAUTH", Word::PreAuth)];
    let word = words.into_iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))?.1;
    let rest = String::from_utf8_lossy(rest.trim_ascii()).into_owned();
    let (code, text) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((code, text)) => (code.to_owned(), text.trim().to_owned()),
        None => (String::new(), rest),
    };
    Some(Status { word, code, text })
}

fn tokens(pieces: &[(&[u8], Option<&[u8]>)]) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    for (index, (text, literal)) in pieces.iter().enumerate() {
        let mut rest = if index == 0 { text.get(2..).unwrap_or_default() } else { text };
        while let Some(byte) = rest.first() {
            if found.len() >= MOST_TOKENS {
                return Err(format!("a response has more than {MOST_TOKENS} parts"));
            }
            let taken = match byte {
                b' ' => 1,
                b'(' => {
                    found.push(Token::Open);
                    1
                }
                b')' => {
                    found.push(Token::Close);
                    1
                }
                b'"' => {
                    let (text, taken) = quoted(rest)?;
                    found.push(Token::Text(text));
                    taken
                }
                _ => {
                    let end = atom_end(rest);
                    found
                        .push(Token::Atom(String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned()));
                    end
                }
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        found.extend(literal.map(|literal| Token::Text(literal.to_vec())));
    }
    Ok(found)
}

/// Where an atom ends; brackets in it hold what would end it otherwise: `BODY[HEADER.FIELDS (SUBJECT)]`.
fn atom_end(bytes: &[u8]) -> usize {
    let mut bracket = false;
    let end = bytes.iter().position(|byte| {
        match byte {
            b'[' => bracket = true,
            b']' => bracket = false,
            _ => {}
        }
        !bracket && matches!(byte, b' ' | b'(' | b')' | b'"')
    });
    end.unwrap_or(bytes.len()).max(1)
}

/// The text of a quoted string, and how many bytes it took with its quotes.
fn quoted(bytes: &[u8]) -> Result<(Vec<u8>, usize), String> {
    let (mut text, mut escaped) = (Vec::new(), false);
    for (at, byte) in bytes.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => {
                text.push(*byte);
                escaped = false;
            }
            b'\\' => escaped = true,
            b'"' => return Ok((text, at + 1)),
            _ => text.push(*byte),
        }
    }
    Err("a quoted string has no end".into())
}

impl Status {
    /// What a refusal is called, by its code (RFC 5530), else `otherwise`; `None`: it is none.
    #[must_use]
    pub fn refusal(&self, otherwise: FailureClass) -> Option<FailureClass> {
        let code = self.code.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        Some(match (self.word, code.as_str()) {
            (Word::Ok | Word::PreAuth, _) => return None,
            (_, "AUTHENTICATIONFAILED" | "EXPIRED") => FailureClass::Unauthorized,
            (_, "AUTHORIZATIONFAILED" | "NOPERM") => FailureClass::Forbidden,
            (_, "NONEXISTENT" | "TRYCREATE") => FailureClass::NotFound,
            (_, "LIMIT") => FailureClass::RateLimited,
            (_, "UNAVAILABLE" | "SERVERBUG" | "CORRUPTION" | "INUSE" | "CONTACTADMIN") => FailureClass::ServerError,
            (_, "PRIVACYREQUIRED") => FailureClass::Tls,
            (Word::Bye, _) => FailureClass::ServerError,
            (Word::Bad, _) => FailureClass::ClientError,
            (Word::No, _) => otherwise,
        })
    }

    /// The code and the text as the server said them.
    #[must_use]
    pub fn said(&self) -> String {
        let word = match self.word {
            Word::Ok => "OK",
            Word::No => "NO",
            Word::Bad => "BAD",
            Word::Bye => "BYE",
            Word::PreAuth => "PREAUTH",
        };
        let code = if self.code.is_empty() { String::new() } else { format!(" [{}]", self.code) };
        format!("{word}{code} {}", self.text).trim().to_owned()
    }
}

/// The number of messages that `* 3 EXISTS` tells.
#[must_use]
pub fn exists(tokens: &[Token]) -> Option<u64> {
    match tokens {
        [Token::Atom(count), Token::Atom(word)] if word.eq_ignore_ascii_case("EXISTS") => count.parse().ok(),
        _ => None,
    }
}

/// The words behind this one: `* CAPABILITY IMAP4rev1 IDLE`, `* SEARCH 2 3`.
#[must_use]
pub fn words_of<'a>(tokens: &'a [Token], name: &str) -> Option<Vec<&'a str>> {
    let (Token::Atom(first), rest) = tokens.split_first()? else { return None };
    if !first.eq_ignore_ascii_case(name) {
        return None;
    }
    Some(
        rest.iter()
            .filter_map(|token| if let Token::Atom(word) = token { Some(word.as_str()) } else { None })
            .collect(),
    )
}

/// The value behind this item of a FETCH response: `RFC822.SIZE`, `BODY[]`. An origin (`<0>`) behind the name does not
/// count.
#[must_use]
pub fn fetched<'a>(tokens: &'a [Token], item: &str) -> Option<&'a Token> {
    let is_fetch = matches!(tokens.get(1), Some(Token::Atom(word)) if word.eq_ignore_ascii_case("FETCH"));
    let at = tokens.iter().position(|token| {
        matches!(token, Token::Atom(word) if word.split('<').next().is_some_and(|word| word.eq_ignore_ascii_case(item)))
    });
    tokens.get(at.filter(|_| is_fetch)? + 1)
}

#[cfg(test)]
mod tests;
