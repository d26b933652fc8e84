//! An answer of DNS (RFC 1035, section 4): what it says, in the forms that people write.
//!
//! The message itself is decoded by hickory-proto; what is ours is to tell the answer to our question from others.

use hickory_resolver::proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::CAA;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use crate::model::RecordKind;

/// The most records of an answer that are kept.
const MOST_ANSWERS: usize = 256;

/// What a name server answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The response code (RFC 6895, section 2.3): 0 is NOERROR, 3 is NXDOMAIN.
    pub code: u16,
    /// The records of the type that was asked for, sorted, as [`RecordKind::canonical`] has them.
    pub answers: Vec<String>,
    /// The shortest time that any of them may be kept, in seconds.
    pub ttl: Option<u32>,
    /// The serial number of the zone, of an answer that has an SOA record.
    pub serial: Option<u32>,
    /// Whether the server answered for its own zone.
    pub authoritative: bool,
    /// Whether the server says that it verified the answer (RFC 4035, section 3.2.3).
    pub authenticated: bool,
    /// Whether there is more than fitted.
    pub truncated: bool,
}

/// Why a message is not the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoAnswer {
    /// It answers another question: another number, another name. By UDP anyone can send that.
    Stray,
    /// It is no message of DNS.
    Junk,
}

/// A question as it is sent: this number, this name, this type. It asks for recursion, takes 1,232 bytes by UDP
/// (RFC 6891, section 6.2.5), and is glad to know whether the answer was verified (RFC 6840, section 5.7).
///
/// # Errors
/// When it is no name of DNS.
pub fn question(id: u16, name: &str, kind: RecordKind) -> Result<Vec<u8>, String> {
    use hickory_resolver::proto::op::{Edns, OpCode};
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.metadata.authentic_data = true;
    message.add_query(Query::query(named(name)?, record_type(kind)));
    let mut edns = Edns::new();
    edns.set_max_payload(1232);
    message.set_edns(edns);
    message.to_vec().map_err(|error| format!("the question cannot be put: {error}"))
}

/// Reads the answer to the question with this number, name and type.
///
/// # Errors
/// When it is none.
pub fn read(bytes: &[u8], id: u16, name: &str, kind: RecordKind) -> Result<Answer, NoAnswer> {
    let found = bytes.first_chunk::<2>().map(|id| u16::from_be_bytes(*id)).ok_or(NoAnswer::Junk)?;
    if found != id {
        return Err(NoAnswer::Stray);
    }
    let message = Message::from_vec(bytes).map_err(|_| NoAnswer::Junk)?;
    if message.metadata.message_type != MessageType::Response {
        return Err(NoAnswer::Stray);
    }
    let name = named(name).map_err(|_| NoAnswer::Junk)?;
    // A server that could not read the question may leave it away.
    let asked = |query: &Query| query.query_type == record_type(kind) && query.name == name;
    let code = message.metadata.response_code;
    if !message.queries.iter().all(asked) || (message.queries.is_empty() && code == ResponseCode::NoError) {
        return Err(NoAnswer::Stray);
    }
    let wanted = message.answers.iter().filter(|record| record.record_type() == record_type(kind));
    let mut answers: Vec<String> =
        wanted.clone().take(MOST_ANSWERS).map(|record| kind.canonical(&shown(&record.data))).collect();
    answers.sort();
    let soa = message.answers.iter().chain(&message.authorities).find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    });
    Ok(Answer {
        code: code.into(),
        answers,
        ttl: wanted.map(|record| record.ttl).min(),
        serial: soa,
        authoritative: message.metadata.authoritative,
        authenticated: message.metadata.authentic_data,
        truncated: message.metadata.truncation,
    })
}

/// The name of a response code: `NXDOMAIN`.
#[must_use]
pub fn code_name(code: u16) -> String {
    const NAMES: [&str; 11] = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
        "NOTAUTH", "NOTZONE",
    ];
    NAMES.get(usize::from(code)).map_or_else(|| format!("RCODE{code}"), |name| (*name).to_owned())
}

fn named(name: &str) -> Result<Name, String> {
    let mut name = Name::from_ascii(name).map_err(|error| format!("`{name}` is no name of DNS: {error}"))?;
    name.set_fqdn(true);
    Ok(name)
}

fn record_type(kind: RecordKind) -> RecordType {
    match kind {
        RecordKind::A => RecordType::A,
        RecordKind::Aaaa => RecordType::AAAA,
        RecordKind::Cname => RecordType::CNAME,
        RecordKind::Mx => RecordType::MX,
        RecordKind::Ns => RecordType::NS,
        RecordKind::Txt => RecordType::TXT,
        RecordKind::Soa => RecordType::SOA,
        RecordKind::Caa => RecordType::CAA,
        RecordKind::Srv => RecordType::SRV,
        RecordKind::Ptr => RecordType::PTR,
    }
}

fn shown(data: &RData) -> String {
    match data {
        // The texts of a record are one text that was too long (RFC 7208, section 3.3, says so for SPF).
        RData::TXT(txt) => String::from_utf8_lossy(&txt.txt_data.concat()).into_owned(),
        RData::CAA(caa) => show_caa(caa),
        other => other.to_string(),
    }
}

fn show_caa(caa: &CAA) -> String {
    format!("{} {} \"{}\"", caa.flags(), caa.tag, String::from_utf8_lossy(&caa.value))
}
