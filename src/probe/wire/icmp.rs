//! Echo requests and their replies (RFC 792, page 14; RFC 4443, section 4).

use std::net::IpAddr;

const ECHO_V4: u8 = 8;
const REPLY_V4: u8 = 0;
const ECHO_V6: u8 = 128;
const REPLY_V6: u8 = 129;

/// How many bytes of its own a request carries, as ping(8) has it.
pub const PAYLOAD_LENGTH: usize = 56;

/// What tells our requests from others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// The identifier. Where the system keeps requests apart by itself, it puts its own there.
    pub id: u16,
    /// In the payload: what the identifier is too short for.
    pub nonce: u64,
}

/// An echo request with this number.
#[must_use]
pub fn request(to: IpAddr, mark: Mark, sequence: u16) -> Vec<u8> {
    let kind = if to.is_ipv4() { ECHO_V4 } else { ECHO_V6 };
    let mut packet = vec![kind, 0, 0, 0];
    packet.extend(mark.id.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend(mark.nonce.to_be_bytes());
    packet.resize(8 + PAYLOAD_LENGTH, 0);
    // Over IPv6 the system works it out: it takes addresses that are not known here.
    if to.is_ipv4() {
        let sum = checksum(&packet).to_be_bytes();
        packet.splice(2..4, sum);
    }
    packet
}

/// The number of the request that this packet replies to; nothing when it is no reply to one of ours.
#[must_use]
pub fn reply(from: IpAddr, packet: &[u8], nonce: u64) -> Option<u16> {
    let mut packet = packet;
    // A raw socket gives the header of IPv4 too: its first half byte is 4, its second the header's length in words.
    if let (IpAddr::V4(_), Some(first @ 0x45..=0x4f)) = (from, packet.first()) {
        packet = packet.get(usize::from(first & 15) * 4..)?;
    }
    let kind = if from.is_ipv4() { REPLY_V4 } else { REPLY_V6 };
    let (head, payload) = packet.split_first_chunk::<8>()?;
    let [found, code, _, _, _, _, high, low] = *head;
    let ours = payload.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))? == nonce;
    (found == kind && code == 0 && ours && payload.len() == PAYLOAD_LENGTH).then(|| u16::from_be_bytes([high, low]))
}

/// The checksum of RFC 1071.
fn checksum(packet: &[u8]) -> u16 {
    let mut sum = 0_u32;
    for pair in packet.chunks(2) {
        let word = [pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)];
        sum += u32::from(u16::from_be_bytes(word));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: Mark = Mark { id: 0x1234, nonce: 0x0102_0304_0506_0708 };

    #[test]
    fn a_request_with_its_checksum_sums_up_to_nothing_and_its_reply_is_known_again() {
        let to = IpAddr::from([192, 0, 2, 7]);
        let mut packet = request(to, MARK, 513);
        assert_eq!((packet.len(), checksum(&packet)), (64, 0));
        assert_eq!(reply(to, &packet, MARK.nonce), None, "a request is no reply");
        packet[0] = REPLY_V4;
        assert_eq!(reply(to, &packet, MARK.nonce), Some(513));
        assert_eq!(reply(to, &packet, MARK.nonce + 1), None, "of another check");
        let raw = [&[0x46][..], &[0; 23], &packet].concat();
        assert_eq!(reply(to, &raw, MARK.nonce), Some(513), "behind a header of IPv4 with an option");
        let six = IpAddr::from([0_u16, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(reply(six, &packet, MARK.nonce), None, "of the other family");
        packet[0] = REPLY_V6;
        assert_eq!(reply(six, &packet, MARK.nonce), Some(513));
        for end in 0..packet.len() {
            assert_eq!(reply(six, &packet[..end], MARK.nonce), None, "cut at {end}");
        }
    }
}
