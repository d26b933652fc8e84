//! pkt-lines, the frames that Git speaks in: four hexadecimal digits of length, which count themselves, and a payload.
//!
//! After [gitprotocol-common(5)](https://git-scm.com/docs/gitprotocol-common) ("pkt-line Format") and, for the special
//! lengths 0001 and 0002, [gitprotocol-v2(5)](https://git-scm.com/docs/gitprotocol-v2).

/// The longest payload, in bytes.
pub const LONGEST_PAYLOAD: usize = 65_516;
/// How many digits of length there are.
const LENGTH_DIGITS: usize = 4;

/// One frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packet<'a> {
    /// `0000`: a message ends here.
    Flush,
    /// `0001`: a section of a message ends here.
    Delimiter,
    /// `0002`: an answer of a server that keeps no state ends here.
    ResponseEnd,
    /// A payload, of at most [`LONGEST_PAYLOAD`] bytes; it may be empty.
    Data(&'a [u8]),
}

/// What is no pkt-line, in plain words.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

/// Takes bytes as they come and gives frames; it keeps what has come and not been taken.
#[derive(Default, Debug)]
pub struct Decoder {
    bytes: Vec<u8>,
    /// How many of them have been taken.
    taken: usize,
}

impl Decoder {
    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        // What has been taken makes room first, so that no more is kept than one frame and one piece of input.
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// How many bytes have come that belong to no frame yet.
    #[must_use]
    pub fn left(&self) -> usize {
        self.bytes.len() - self.taken
    }

    /// The next frame, once it is whole.
    ///
    /// # Errors
    /// When what comes next cannot begin a frame: no hexadecimal digits, `0003`, or a length above `fff0`.
    pub fn frame(&mut self) -> Result<Option<Packet<'_>>, Fault> {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        let Some(digits) = rest.get(..LENGTH_DIGITS) else { return Ok(None) };
        let length = length(digits)?;
        let end = match length {
            0..=2 => LENGTH_DIGITS,
            3 => return Err(Fault("a pkt-line of the length 0003, which cannot be".into())),
            length if length > LONGEST_PAYLOAD + LENGTH_DIGITS => {
                return Err(Fault(format!("a pkt-line of {length} bytes; 65520 are the most")));
            }
            length => length,
        };
        let Some(payload) = rest.get(LENGTH_DIGITS..end) else { return Ok(None) };
        self.taken += end;
        Ok(Some(match length {
            0 => Packet::Flush,
            1 => Packet::Delimiter,
            2 => Packet::ResponseEnd,
            _ => Packet::Data(payload),
        }))
    }
}

fn length(digits: &[u8]) -> Result<usize, Fault> {
    let sound = digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok().filter(|_| sound);
    text.and_then(|text| usize::from_str_radix(text, 16).ok())
        .ok_or_else(|| Fault(format!("`{}` where the four digits of a pkt-line should be", digits.escape_ascii())))
}

/// Adds a frame with this payload; what would not fit into one is cut.
pub fn push(message: &mut Vec<u8>, payload: &str) {
    let payload = payload.as_bytes().get(..LONGEST_PAYLOAD).unwrap_or(payload.as_bytes());
    message.extend_from_slice(format!("{:04x}", payload.len() + LENGTH_DIGITS).as_bytes());
    message.extend_from_slice(payload);
}

/// Ends a message.
pub fn flush(message: &mut Vec<u8>) {
    message.extend_from_slice(b"0000");
}

/// Ends a section of a message.
pub fn delimiter(message: &mut Vec<u8>) {
    message.extend_from_slice(b"0001");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All frames of these bytes, given in pieces of this size.
    fn frames(bytes: &[u8], piece: usize) -> Result<Vec<Option<Vec<u8>>>, Fault> {
        let mut decoder = Decoder::default();
        let mut found = Vec::new();
        for piece in bytes.chunks(piece.max(1)) {
            decoder.feed(piece);
            while let Some(packet) = decoder.frame()? {
                found.push(match packet {
                    Packet::Data(payload) => Some(payload.to_vec()),
                    _ => None,
                });
            }
        }
        Ok(found)
    }

    #[test]
    fn the_examples_of_the_manual_are_read() {
        let found = frames(b"0006a\n0005a000bfoobar\n000400000001", 3).unwrap();
        let data = |text: &str| Some(text.as_bytes().to_vec());
        assert_eq!(found, [data("a\n"), data("a"), data("foobar\n"), data(""), None, None]);
    }

    #[test]
    fn what_cannot_be_a_length_is_a_fault_that_shows_it() {
        let fault = |bytes: &[u8]| frames(bytes, 64).unwrap_err().to_string();
        assert_eq!(fault(b"0003"), "a pkt-line of the length 0003, which cannot be");
        assert_eq!(fault(b"ffff"), "a pkt-line of 65535 bytes; 65520 are the most");
        assert_eq!(fault(b"<!DO"), "`<!DO` where the four digits of a pkt-line should be");
        assert_eq!(fault(b"+001"), "`+001` where the four digits of a pkt-line should be");
        assert_eq!(frames(b"fff0", 64), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back_however_it_is_cut(
            payloads in proptest::collection::vec("[ -~]{0,80}", 0..20),
            piece in 1usize..200,
        ) {
            let mut message = Vec::new();
            for payload in &payloads {
                push(&mut message, payload);
            }
            flush(&mut message);
            let mut want: Vec<Option<Vec<u8>>> = payloads.into_iter().map(|payload| Some(payload.into())).collect();
            want.push(None);
            prop_assert_eq!(frames(&message, piece), Ok(want));
        }

        #[test]
        fn anything_can_be_read_and_no_more_is_kept_than_a_frame(
            bytes in proptest::collection::vec(any::<u8>(), 0..3_000),
            piece in 1usize..500,
        ) {
            let mut decoder = Decoder::default();
            'all: for piece in bytes.chunks(piece) {
                decoder.feed(piece);
                loop {
                    match decoder.frame() {
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(_) => break 'all,
                    }
                }
                prop_assert!(decoder.left() < LONGEST_PAYLOAD + LENGTH_DIGITS);
            }
        }
    }
}
