use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::*;

use super::*;

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn entry(kind: u8, size: u64) -> Vec<u8> {
    let mut bytes = vec![(kind << 4) | u8::try_from(size & 15).unwrap()];
    let mut size = size >> 4;
    while size > 0 {
        *bytes.last_mut().unwrap() |= 0x80;
        bytes.push(u8::try_from(size & 0x7f).unwrap());
        size >>= 7;
    }
    bytes
}

fn object(kind: u8, content: &[u8]) -> Vec<u8> {
    [entry(kind, content.len() as u64), deflated(content)].concat()
}

fn pack(objects: &[Vec<u8>]) -> Vec<u8> {
    let count = u32::try_from(objects.len()).unwrap();
    let mut pack = [&b"PACK\0\0\0\x02"[..], &count.to_be_bytes(), &objects.concat()].concat();
    let sum = digest::digest(Hash::Sha1.algorithm(), &pack);
    pack.extend_from_slice(sum.as_ref());
    pack
}

fn name(kind: &str, content: &[u8]) -> Oid {
    let whole = [format!("{kind} {}\0", content.len()).as_bytes(), content].concat();
    Oid::parse(Oid::show(digest::digest(Hash::Sha1.algorithm(), &whole).as_ref()).as_bytes()).unwrap()
}

fn check(pack: &[u8], wanted: Oid, piece: usize) -> Result<Summary, Fault> {
    let mut check = Check::new(wanted);
    for piece in pack.chunks(piece) {
        check.feed(piece)?;
    }
    check.finish()
}

const COMMIT: &[u8] = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nBegin\n";

fn fault(pack: &[u8]) -> String {
    check(pack, name("commit", COMMIT), 7).unwrap_err().to_string()
}

#[test]
fn a_sound_pack_is_summed_up_and_the_wanted_commit_is_found_however_it_is_cut() {
    let base = [&[0x80, 0x01][..], &deflated(b"delta")].concat();
    let objects = [
        object(1, COMMIT),
        object(2, b""),
        [entry(6, 5), base].concat(),
        [entry(7, 5), vec![9; 20], deflated(b"delta")].concat(),
    ];
    let pack = pack(&objects);
    let bytes = pack.len() as u64;
    for piece in [1, 2, 3, 20, 1_000] {
        let found = check(&pack, name("commit", COMMIT), piece);
        assert_eq!(found, Ok(Summary { objects: 4, deltas: 2, bytes, found: true }), "in pieces of {piece}");
    }
    let other = check(&pack, name("commit", b"another"), 64).unwrap();
    assert!(!other.found);
}

#[test]
fn an_empty_pack_is_what_a_push_of_nothing_new_sends() {
    let summary = check(&empty(Hash::Sha1), name("commit", COMMIT), 5).unwrap();
    assert_eq!((summary.objects, summary.bytes), (0, 32));
    assert_eq!(Oid::show(&empty(Hash::Sha1)[12..]), "029d08823bd8a8eab510ad6ac75c823cfd3ed31e");
}

#[test]
fn each_damage_is_told() {
    let mut wrong_sum = pack(&[object(1, COMMIT)]);
    *wrong_sum.last_mut().unwrap() ^= 1;
    assert!(fault(&wrong_sum).starts_with("the checksum at its end is "), "{}", fault(&wrong_sum));
    let mut damaged = pack(&[object(1, COMMIT)]);
    damaged[14] ^= 0xff;
    assert!(fault(&damaged).starts_with("an object cannot be inflated"), "{}", fault(&damaged));
    let sound = pack(&[object(1, COMMIT)]);
    let early = fault(&sound[..sound.len() - 25]);
    assert!(early.starts_with("the pack ends early: after ") && early.ends_with("1 of 1 objects to come"), "{early}");
    assert_eq!(fault(&[&sound[..], b"x"].concat()), "something follows the end of the pack");
    assert_eq!(fault(b"<html><body>no"), "`<htm` where a pack should begin with `PACK`");
    assert_eq!(fault(b"PACK\0\0\0\x09\0\0\0\0"), "a pack of version 9");
    assert_eq!(fault(&pack(&[entry(5, 1)])), "an object of the type 5, which does not exist");
    assert_eq!(fault(&pack(&[entry(0, 1)])), "an object of the type 0, which does not exist");
    let short = pack(&[[entry(2, 9), deflated(b"four")].concat()]);
    assert_eq!(fault(&short), "an object of 9 bytes is announced, and 4 came");
    let long = pack(&[[entry(2, 3), deflated(b"four")].concat()]);
    assert_eq!(fault(&long), "an object of 3 bytes is announced, and more came");
    let endless = pack(&[vec![0xff; 12]]);
    assert_eq!(fault(&endless), "an object whose size has too many digits");
}

#[test]
fn bombs_are_refused_by_what_they_announce_or_as_soon_as_they_exceed_it() {
    let huge = fault(&pack(&[entry(6, 1 << 40)]));
    assert_eq!(huge, "an object of 1099511627776 bytes is announced; up to 268435456 are inflated");
    let bomb = deflated(&vec![0; 32 << 20]);
    assert!(bomb.len() < 64 * 1024);
    let lying = pack(&[[entry(3, 10), bomb].concat()]);
    assert_eq!(fault(&lying), "an object of 10 bytes is announced, and more came");
    let many: Vec<_> = (0..5).map(|_| [entry(3, LARGEST_OBJECT), deflated(b"")].concat()).collect();
    assert!(fault(&pack(&many[..1])).ends_with("and 0 came"));
}

proptest! {
    #[test]
    fn anything_can_be_fed(bytes in proptest::collection::vec(any::<u8>(), 0..2_000), piece in 1usize..300) {
        let _ = check(&bytes, name("commit", COMMIT), piece);
        let _ = check(&[b"PACK\0\0\0\x02\0\0\0\x03", &bytes[..]].concat(), name("commit", COMMIT), piece);
    }

    #[test]
    fn a_pack_of_any_objects_is_sound_and_any_flipped_bit_is_noticed(
        contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..6),
        piece in 1usize..300,
        flip in any::<proptest::sample::Index>(),
        bit in 0u8..8,
    ) {
        let objects: Vec<_> = contents.iter().map(|content| object(3, content)).collect();
        let mut pack = pack(&objects);
        prop_assert!(check(&pack, name("commit", COMMIT), piece).is_ok());
        let at = flip.index(pack.len());
        pack[at] ^= 1 << bit;
        // Version 3 is as good as 2, but then the checksum is another.
        prop_assert!(check(&pack, name("commit", COMMIT), piece).is_err());
    }
}
