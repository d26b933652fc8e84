//! Name servers that misbehave.

use super::*;

/// A name server that answers each datagram with these, made of the question; by TCP on the same port, with the last.
pub(crate) struct Rogue {
    pub(crate) address: SocketAddr,
    tasks: [tokio::task::JoinHandle<()>; 2],
}

impl Drop for Rogue {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

pub(crate) type Made = fn(&[u8]) -> Vec<Vec<u8>>;

impl Rogue {
    pub(crate) async fn new(by_udp: Made, by_tcp: Made, pause: Duration) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let (udp, tcp) = (UdpSocket::bind(address).await.unwrap(), TcpListener::bind(address).await.unwrap());
        let datagrams = tokio::spawn(async move {
            let mut question = [0; 2048];
            while let Ok((count, from)) = udp.recv_from(&mut question).await {
                for answer in by_udp(&question[..count]) {
                    let _ = udp.send_to(&answer, from).await;
                }
            }
        });
        let streams = tokio::spawn(async move {
            while let Ok((mut stream, _)) = tcp.accept().await {
                tokio::spawn(async move {
                    let mut question = vec![0; usize::from(stream.read_u16().await.unwrap_or_default())];
                    let _ = stream.read_exact(&mut question).await;
                    for part in by_tcp(&question) {
                        let _ = stream.write_all(&part).await;
                        tokio::time::sleep(pause).await;
                    }
                });
            }
        });
        Self { address, tasks: [datagrams, streams] }
    }
}

/// The question as an answer, with these flags and nothing in it but this many answers that follow.
pub(crate) fn reply(question: &[u8], flags: [u8; 2], count: u8, rest: &[u8]) -> Vec<u8> {
    let end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
    let counts = [0, 1, 0, count, 0, 0, 0, 0];
    [&question[..2], &flags, &counts, &question[12..end], rest].concat()
}

pub(crate) const SOUND: [u8; 2] = [0x84, 0];

/// One address, by a name that points to the question's.
pub(crate) fn sound(question: &[u8]) -> Vec<u8> {
    reply(question, SOUND, 1, &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7])
}

pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

pub(crate) fn nothing(_: &[u8]) -> Vec<Vec<u8>> {
    vec![]
}

#[tokio::test]
async fn a_datagram_that_is_no_answer_to_our_question_is_not_taken_for_one() {
    let strays: Made = |question| {
        let mut other_id = sound(question);
        other_id[0] ^= 0xff;
        let mut other_name = sound(question);
        other_name[13] ^= 1;
        let mut no_reply = sound(question);
        no_reply[2] &= 0x7f;
        vec![other_id, other_name, no_reply]
    };
    let rogue = Rogue::new(strays, nothing, Duration::ZERO).await;
    let result = briefly(&to(rogue.address, "forge.example", RecordKind::A)).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Timeout);
    assert!(fault.starts_with("no answer within 500ms: waiting for the first byte for "), "{fault}");

    let among: Made = |question| {
        let mut other = sound(question);
        other[0] ^= 0xff;
        vec![other, sound(question)]
    };
    let rogue = Rogue::new(among, nothing, Duration::ZERO).await;
    let asked = to(rogue.address, "forge.example", RecordKind::A);
    well(&answering(asked.clone(), &["192.0.2.7"]), &[]).await;
    let result = ask(&asked, &["ttl == 0"]).await;
    let counted = ("other datagrams".to_owned(), "1, which answer another question".to_owned());
    assert!(failure(&result).1.headers.contains(&counted), "{result:?}");
}

#[tokio::test]
async fn an_answer_that_is_no_dns_is_protocol_by_udp_and_by_tcp() {
    let cases: [(&str, Made); 4] = [
        ("a name that points to itself", |question| {
            let end = u8::try_from(reply(question, SOUND, 0, &[]).len()).unwrap();
            vec![reply(question, SOUND, 1, &[0xc0, end, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7])]
        }),
        ("two names that point to each other", |question| {
            let end = u8::try_from(reply(question, SOUND, 0, &[]).len()).unwrap();
            vec![reply(question, SOUND, 1, &[0xc0, end + 2, 0xc0, end, 0, 1, 0, 1, 0, 0, 0, 60, 0, 0])]
        }),
        ("cut short", |question| {
            let mut cut = sound(question);
            cut.truncate(cut.len() - 3);
            vec![cut]
        }),
        ("the number and nothing else", |question| vec![question[..2].to_vec()]),
    ];
    for (what, made) in cases {
        let rogue = Rogue::new(made, nothing, Duration::ZERO).await;
        let result = briefly(&to(rogue.address, "forge.example", RecordKind::A)).await;
        assert_eq!(class_and_fault(&result), (FailureClass::Protocol, "the answer is no message of DNS"), "{what}");
    }
    let by_tcp: [(Made, FailureClass, &str); 6] = [
        (
            |question| vec![framed(&[&question[..2], b"junk"].concat())],
            FailureClass::Protocol,
            "the answer is no message of DNS",
        ),
        (
            |question| {
                let mut other = sound(question);
                other[1] ^= 0xff;
                vec![framed(&other)]
            },
            FailureClass::Protocol,
            "the answer is one to another question",
        ),
        (
            |question| vec![framed(&reply(question, [0x86, 0], 0, &[]))],
            FailureClass::Protocol,
            "the answer was cut short, and by TCP it need not be",
        ),
        (
            |question| vec![framed(&sound(question))[..20].to_vec()],
            FailureClass::Corrupt,
            "the connection was closed after 18 of 47 bytes of the answer",
        ),
        (|_| vec![vec![0]], FailureClass::Connect, "the connection was closed before an answer came"),
        (nothing, FailureClass::Connect, "the connection was closed before an answer came"),
    ];
    for (made, class, said) in by_tcp {
        let rogue = Rogue::new(nothing, made, Duration::ZERO).await;
        let asked = to(rogue.address, "forge.example", RecordKind::A);
        let result = briefly(&DnsTarget { over: Transport::Tcp, ..asked }).await;
        assert_eq!(class_and_fault(&result), (class, said));
    }
}

#[tokio::test]
async fn an_answer_that_drips_or_never_ends_costs_no_more_than_the_timeout() {
    // Cut short by UDP; by TCP, 64 KiB are promised and come byte by byte.
    let drips: Made = |_| std::iter::once(vec![0xff, 0xff]).chain(std::iter::repeat_n(vec![0], 1_000)).collect();
    let cut: Made = |question| vec![reply(question, [0x86, 0], 0, &[])];
    let rogue = Rogue::new(cut, drips, Duration::from_millis(50)).await;
    let result = briefly(&to(rogue.address, "forge.example", RecordKind::A)).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Timeout);
    assert!(fault.starts_with("no whole answer within 500ms: reading"), "{fault}");
    // What follows the answer is not read.
    let endless: Made =
        |question| std::iter::once(framed(&sound(question))).chain(vec![vec![0; 65_536]; 1_000]).collect();
    let rogue = Rogue::new(cut, endless, Duration::ZERO).await;
    assert_eq!(briefly(&to(rogue.address, "forge.example", RecordKind::A)).await.outcome, Outcome::Success);
    // The next question is not disturbed.
    let rogue = Rogue::new(|question| vec![sound(question)], nothing, Duration::ZERO).await;
    well(&to(rogue.address, "forge.example", RecordKind::A), &["answers == ['192.0.2.7']"]).await;
}
