use proptest::prelude::*;

use super::*;

const OID: &str = "7217a7c7e582c46cec22a130adf4b9d7d950fba0";

fn oid() -> Option<Oid> {
    Oid::parse(OID.as_bytes())
}

#[test]
fn the_example_of_version_0_in_the_manual_is_read() {
    let mut said = Advertisement::default();
    let first = format!("{OID} HEAD\0multi_ack thin-pack shallow symref=HEAD:refs/heads/main agent=git/2.47\n");
    let head = Ref { name: "HEAD".into(), oid: oid(), target: Some("refs/heads/main".into()) };
    assert_eq!(said.take(first.as_bytes()), Ok(Line::Ref(head)));
    assert!(said.capabilities.has("shallow") && !said.capabilities.has("filter"));
    assert_eq!((said.version, said.capabilities.value("agent")), (0, Some("git/2.47")));
    let tag = Ref { name: "refs/tags/v1.0".into(), oid: oid(), target: None };
    assert_eq!(said.take(format!("{OID} refs/tags/v1.0\n").as_bytes()), Ok(Line::Ref(tag)));
    assert_eq!(said.take(format!("{OID} refs/tags/v1.0^{{}}\n").as_bytes()), Ok(Line::Nothing));
    assert_eq!(said.take(format!("shallow {OID}").as_bytes()), Ok(Line::Nothing));
    assert!(said.take(b"hello").is_err());
}

#[test]
fn version_1_is_version_0_behind_a_line_and_an_empty_repository_has_no_refs() {
    let mut said = Advertisement::default();
    assert_eq!(said.take(b"version 1"), Ok(Line::Version(1)));
    let line = format!("{} capabilities^{{}}\0report-status delete-refs", Hash::Sha1.none());
    assert_eq!(said.take(line.as_bytes()), Ok(Line::Nothing));
    assert!(said.capabilities.has("delete-refs"));
}

#[test]
fn version_2_tells_what_it_can_do_and_lists_refs_when_asked() {
    let mut said = Advertisement::default();
    for line in ["# service=git-upload-pack\n", "version 2\n", "agent=git/2.47.2\n", "ls-refs=unborn\n"] {
        said.take(line.as_bytes()).unwrap();
    }
    said.take(b"fetch=shallow wait-for-done filter\n").unwrap();
    said.take(b"object-format=sha1\n").unwrap();
    assert_eq!((said.version, said.capabilities.hash()), (2, Ok(Hash::Sha1)));
    assert!(said.capabilities.offers("fetch", "filter") && !said.capabilities.offers("fetch", "low"));
    let head = Ref { name: "HEAD".into(), oid: oid(), target: Some("refs/heads/main".into()) };
    assert_eq!(listed(format!("{OID} HEAD symref-target:refs/heads/main\n").as_bytes()), Ok(head));
    let unborn = Ref { name: "HEAD".into(), oid: None, target: Some("refs/heads/main".into()) };
    assert_eq!(listed(b"unborn HEAD symref-target:refs/heads/main\n"), Ok(unborn));
    let peeled = listed(format!("{OID} refs/tags/v1 peeled:{OID}\n").as_bytes()).unwrap();
    assert_eq!((peeled.name.as_str(), peeled.target), ("refs/tags/v1", None));
}

#[test]
fn a_server_may_refuse_in_words_of_its_own() {
    let mut said = Advertisement::default();
    let words = "Repository not found.".to_owned();
    assert_eq!(said.take(b"ERR Repository not found.\n"), Ok(Line::Refused(words)));
    let unknown = Advertisement::default().take(b"version 7").unwrap_err().to_string();
    assert_eq!(unknown, "`7` is no version that is known");
}

#[test]
fn names_of_objects_have_forty_or_sixty_four_digits() {
    for (digits, sound) in [(40, true), (64, true), (39, false), (41, false), (0, false)] {
        assert_eq!(Oid::parse("a".repeat(digits).as_bytes()).is_some(), sound, "{digits} digits");
    }
    assert!(Oid::parse(&[b'+'; 40]).is_none());
    assert_eq!(oid().map(|oid| oid.to_string()).as_deref(), Some(OID));
    assert!(Hash::Sha256.none().is_none() && Hash::Sha256.none().to_string().len() == 64);
}

#[test]
fn reports_of_a_push_tell_what_became_of_each_ref() {
    assert_eq!(report(b"unpack ok\n"), Ok(Report::Unpacked));
    assert_eq!(
        report(b"unpack index-pack abnormal exit"),
        Ok(Report::NotUnpacked("index-pack abnormal exit".into()))
    );
    assert_eq!(report(b"ok refs/heads/x\n"), Ok(Report::Done("refs/heads/x".into())));
    let refused = Report::Refused("refs/heads/x".into(), "pre-receive hook declined".into());
    assert_eq!(report(b"ng refs/heads/x pre-receive hook declined"), Ok(refused));
    assert!(report(b"").is_err() && report(b"hello there").is_err());
}

proptest! {
    #[test]
    fn any_lines_can_be_read(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..20)) {
        let mut said = Advertisement::default();
        for line in &lines {
            let _ = (said.take(line), listed(line), report(line), refusal(line));
        }
        prop_assert!(said.capabilities.hash().is_ok() || said.capabilities.has("object-format"));
    }

    #[test]
    fn a_listed_ref_is_read_back(name in "refs/[a-z]{1,9}/[a-zA-Z0-9._/-]{1,60}", digits in "[0-9a-f]{40}|[0-9a-f]{64}") {
        let found = listed(format!("{digits} {name}\n").as_bytes()).unwrap();
        prop_assert_eq!(found.oid.map(|oid| oid.to_string()), Some(digits));
        prop_assert_eq!(found.name, name);
    }
}
