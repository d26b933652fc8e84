//! What name servers, pinged machines, gRPC servers and authorities of certificates say.

use std::net::IpAddr;

use tripline::model::RecordKind;
use tripline::probe::wire;

const KINDS: [RecordKind; 10] = [
    RecordKind::A,
    RecordKind::Aaaa,
    RecordKind::Cname,
    RecordKind::Mx,
    RecordKind::Ns,
    RecordKind::Txt,
    RecordKind::Soa,
    RecordKind::Caa,
    RecordKind::Srv,
    RecordKind::Ptr,
];

/// The first byte is a type of record; whatever follows is an answer to a question for it, a stray one, or none. What is
/// kept of it is bounded, and another number makes it a stray.
pub(crate) fn dns(data: &[u8]) {
    let Some((&kind, message)) = data.split_first() else { return };
    let kind = KINDS[usize::from(kind) % KINDS.len()];
    let id = message.first_chunk::<2>().map_or(0, |id| u16::from_be_bytes(*id));
    if let Ok(answer) = wire::dns::read(message, id, "example.com", kind) {
        assert!(answer.answers.len() <= 256 && answer.answers.is_sorted());
        // Names are as long as 255 bytes, each of them as four characters, and may be pointed to again and again.
        let most = 8 * message.len() + answer.answers.len() * 4 * 255 * 4;
        assert!(answer.answers.iter().map(String::len).sum::<usize>() <= most);
        assert!(answer.answers.is_empty() || answer.ttl.is_some());
        assert!(!wire::dns::code_name(answer.code).is_empty());
        // What is canonical stays as it is: what was seen can be written down and is expected from then on.
        for text in &answer.answers {
            assert_eq!(kind.canonical(text), *text);
        }
        assert_eq!(wire::dns::read(message, id ^ 1, "example.com", kind), Err(wire::dns::NoAnswer::Stray));
    }
    let Ok(name) = std::str::from_utf8(message) else { return };
    if let Ok(question) = wire::dns::question(id, name, kind) {
        assert!(question.len() <= 512, "a question of {} bytes", question.len());
        assert_eq!(
            wire::dns::read(&question, id, name, kind),
            Err(wire::dns::NoAnswer::Stray),
            "a question is no answer"
        );
    }
}

/// Whatever packet comes is a reply to a request of this check, or none; a reply to one is known again.
pub(crate) fn icmp(data: &[u8]) {
    let Some((head, packet)) = data.split_first_chunk::<12>() else { return };
    let [id @ .., _, _, _, _, _, _, _, _] = *head;
    let [high, low, first, second] = id;
    let nonce = head.last_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let (mark, sequence) =
        (wire::icmp::Mark { id: u16::from_be_bytes([high, low]), nonce }, u16::from_be_bytes([first, second]));
    let addresses = [(IpAddr::from([192, 0, 2, 7]), 0), (IpAddr::from([0_u16, 0, 0, 0, 0, 0, 0, 1]), 129)];
    for (address, kind) in addresses {
        if wire::icmp::reply(address, packet, nonce).is_some() {
            assert!(packet.windows(8).any(|window| window == nonce.to_be_bytes()), "a reply without the nonce");
            assert_eq!(wire::icmp::reply(address, packet, !nonce), None);
        }
        let mut request = wire::icmp::request(address, mark, sequence);
        assert_eq!(wire::icmp::reply(address, &request, nonce), None, "a request is no reply");
        request[0] = kind;
        assert_eq!(wire::icmp::reply(address, &request, nonce), Some(sequence));
    }
}

/// Whatever a gRPC server says of its health is a state, or its fault is told. A request holds its name, whatever that is.
pub(crate) fn grpc(data: &[u8]) {
    if wire::grpc::response(data).is_ok() {
        assert_eq!(
            data.get(1..5),
            u32::try_from(data.len() - 5).map(u32::to_be_bytes).ok().as_ref().map(|four| &four[..])
        );
        assert!(wire::grpc::response(&data[..data.len() - 1]).is_err(), "a message that was cut short is taken");
    }
    if let Ok(name) = std::str::from_utf8(data) {
        let request = wire::grpc::request(name);
        assert!(request.ends_with(data) && request.len() <= data.len() + 16);
        // A text of field 1 is no status; what is asked is not taken for an answer, but for one that is empty.
        assert_eq!(wire::grpc::response(&request), Ok(wire::grpc::Serving::Unknown));
    }
}

/// Whatever is stapled is a status, or none, whatever follows it; and never when it is cut short.
pub(crate) fn ocsp(data: &[u8]) {
    let read = wire::ocsp::read(data);
    assert_eq!(wire::ocsp::read(&[data, b"\0more"].concat()).filter(|_| read.is_some()), read);
}
