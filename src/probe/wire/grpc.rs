//! The health protocol of gRPC (<https://github.com/grpc/grpc/blob/master/doc/health-checking.md>), its two messages
//! in Protocol Buffers (<https://protobuf.dev/programming-guides/encoding/>), and what the codes of gRPC are called.

use crate::model::FailureClass;

/// What a server says of its health.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Serving {
    /// It does not know.
    Unknown,
    /// All is well.
    Serving,
    /// It does not serve now.
    NotServing,
    /// There is nothing of this name.
    NameUnknown,
}

/// A `HealthCheckRequest` for this name, in the frame that gRPC puts around a message.
#[must_use]
pub fn request(name: &str) -> Vec<u8> {
    let mut message = Vec::with_capacity(name.len() + 16);
    if !name.is_empty() {
        // Field 1, a text.
        message.push(0x0a);
        varint(u64::try_from(name.len()).unwrap_or(u64::MAX), &mut message);
        message.extend_from_slice(name.as_bytes());
    }
    let mut framed = vec![0];
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.append(&mut message);
    framed
}

fn varint(mut number: u64, to: &mut Vec<u8>) {
    while number >= 0x80 {
        to.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    to.push(u8::try_from(number).unwrap_or_default());
}

/// What a framed `HealthCheckResponse` says. Fields that it does not know are skipped, as Protocol Buffers want it.
///
/// # Errors
/// In plain words, when the bytes are no such message.
pub fn response(bytes: &[u8]) -> Result<Serving, String> {
    let (head, message) = bytes.split_at_checked(5).ok_or("the answer has no message")?;
    let length = head.iter().skip(1).fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
    if head.first() != Some(&0) {
        return Err("the message is compressed, which was not asked for".into());
    }
    if length != message.len() {
        return Err(format!("the message is {} bytes long, and should be {length}", message.len()));
    }
    let mut rest = message;
    // A field that is not there has the value 0.
    let mut status = 0;
    while !rest.is_empty() {
        let key = take_varint(&mut rest)?;
        match (key >> 3, key & 7) {
            (1, 0) => status = take_varint(&mut rest)?,
            (0, _) => return Err("a field has the number 0".into()),
            (_, 0) => {
                take_varint(&mut rest)?;
            }
            (_, 1) => skip(&mut rest, 8)?,
            (_, 2) => {
                let length = take_varint(&mut rest)?;
                skip(&mut rest, length)?;
            }
            (_, 5) => skip(&mut rest, 4)?,
            _ => return Err("a field is of no type that there is".into()),
        }
    }
    match status {
        0 => Ok(Serving::Unknown),
        1 => Ok(Serving::Serving),
        2 => Ok(Serving::NotServing),
        3 => Ok(Serving::NameUnknown),
        other => Err(format!("{other} is no status of health")),
    }
}

fn take_varint(rest: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first().ok_or("the message ends in the middle")?;
        *rest = tail;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("a number is longer than 10 bytes".into())
}

fn skip(rest: &mut &[u8], length: u64) -> Result<(), String> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    *rest = rest.get(length..).ok_or("the message ends in the middle")?;
    Ok(())
}

impl Serving {
    /// The name in the protocol.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Serving => "SERVING",
            Self::NotServing => "NOT_SERVING",
            Self::NameUnknown => "SERVICE_UNKNOWN",
        }
    }

    /// What it is called when it is no success.
    #[must_use]
    pub fn failure(self) -> Option<FailureClass> {
        match self {
            Self::Serving => None,
            Self::Unknown | Self::NotServing => Some(FailureClass::ServerError),
            Self::NameUnknown => Some(FailureClass::NotFound),
        }
    }
}

/// The name of a code of gRPC (<https://github.com/grpc/grpc/blob/master/doc/statuscodes.md>) that is no success, and
/// what it is called; `None`: it is OK.
#[must_use]
pub fn refusal(code: u16) -> Option<(&'static str, FailureClass)> {
    use FailureClass::{ClientError, Forbidden, NotFound, RateLimited, ServerError, Unauthorized};
    Some(match code {
        0 => return None,
        1 => ("CANCELLED", ServerError),
        3 => ("INVALID_ARGUMENT", ClientError),
        4 => ("DEADLINE_EXCEEDED", ServerError),
        5 => ("NOT_FOUND", NotFound),
        6 => ("ALREADY_EXISTS", ClientError),
        7 => ("PERMISSION_DENIED", Forbidden),
        8 => ("RESOURCE_EXHAUSTED", RateLimited),
        9 => ("FAILED_PRECONDITION", ClientError),
        10 => ("ABORTED", ServerError),
        11 => ("OUT_OF_RANGE", ClientError),
        // There is no health protocol at all.
        12 => ("UNIMPLEMENTED", NotFound),
        13 => ("INTERNAL", ServerError),
        14 => ("UNAVAILABLE", ServerError),
        15 => ("DATA_LOSS", ServerError),
        16 => ("UNAUTHENTICATED", Unauthorized),
        _ => ("UNKNOWN", ServerError),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_is_what_protocol_buffers_make_of_it() {
        assert_eq!(request(""), [0, 0, 0, 0, 0]);
        assert_eq!(request("abc"), [0, 0, 0, 0, 5, 0x0a, 3, b'a', b'b', b'c']);
        let long = request(&"x".repeat(300));
        assert_eq!(long[..8], [0, 0, 0, 1, 47, 0x0a, 0xac, 2]);
    }

    #[test]
    fn an_answer_is_read_whatever_else_is_in_it() {
        assert_eq!(response(&[0, 0, 0, 0, 2, 8, 1]), Ok(Serving::Serving));
        assert_eq!(response(&[0, 0, 0, 0, 0]), Ok(Serving::Unknown));
        let more = [0, 0, 0, 0, 17, 0x12, 1, 9, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 1, 2, 3, 4];
        assert_eq!(response(&more), Ok(Serving::Unknown));
        let last = [0, 0, 0, 0, 4, 8, 1, 8, 2];
        assert_eq!(response(&last), Ok(Serving::NotServing), "of several, the last counts");
        for bad in [&[][..], &[0, 0, 0, 0], &[1, 0, 0, 0, 0], &[0, 0, 0, 0, 9, 8, 1], &[0, 0, 0, 0, 2, 8, 9]] {
            assert!(response(bad).is_err(), "{bad:?}");
        }
        let endless = [&[0, 0, 0, 0, 12, 8][..], &[0xff; 11]].concat();
        assert!(response(&endless).unwrap_err().contains("10 bytes"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = response(&bytes);
            let length = u8::try_from(bytes.len()).unwrap();
            let _ = response(&[&[0, 0, 0, 0, length][..], &bytes].concat());
        }
    }
}
