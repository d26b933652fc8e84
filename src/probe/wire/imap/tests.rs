//! Responses of IMAP: whole, in pieces, with literals, and what is none.

use proptest::prelude::*;

use super::*;

fn whole(bytes: &[u8]) -> Response {
    match response(bytes, 1_000) {
        Ok(Step::Whole(response, taken)) if taken == bytes.len() => response,
        other => panic!("{other:?}"),
    }
}

fn untagged(bytes: &[u8]) -> Vec<Token> {
    match whole(bytes) {
        Response::Untagged(tokens) => tokens,
        other => panic!("{other:?}"),
    }
}

#[test]
fn greetings_and_ends_of_commands_are_told_with_their_codes() {
    let Response::State(greeting) = whole(b"* OK [CAPABILITY IMAP4rev1 IDLE] ready {5}\r\n") else { panic!() };
    assert_eq!((greeting.word, greeting.code.as_str()), (Word::Ok, "CAPABILITY IMAP4rev1 IDLE"));
    assert_eq!(greeting.text, "ready {5}");
    let Response::Done(tag, status) = whole(b"a2 NO [AUTHENTICATIONFAILED] Authentication failed.\r\n") else {
        panic!()
    };
    assert_eq!(tag, "a2");
    assert_eq!(status.refusal(FailureClass::NotFound), Some(FailureClass::Unauthorized));
    assert_eq!(status.said(), "NO [AUTHENTICATIONFAILED] Authentication failed.");
    assert_eq!(whole(b"+ idling\r\n"), Response::Continue("idling".into()));
    assert_eq!(whole(b"+\r\n"), Response::Continue(String::new()));
}

#[test]
fn what_was_asked_for_is_found_in_the_answers() {
    assert_eq!(exists(&untagged(b"* 23 EXISTS\r\n")), Some(23));
    assert_eq!(exists(&untagged(b"* 23 RECENT\r\n")), None);
    assert_eq!(words_of(&untagged(b"* SEARCH 2 84 882\r\n"), "search").unwrap(), ["2", "84", "882"]);
    let fetch = untagged(b"* 7 FETCH (UID 9 RFC822.SIZE 44827 BODY[]<0> {5}\r\nhel)o FLAGS (\\Seen))\r\n");
    assert_eq!(fetched(&fetch, "RFC822.SIZE"), Some(&Token::Atom("44827".into())));
    assert_eq!(fetched(&fetch, "BODY[]"), Some(&Token::Text(b"hel)o".to_vec())));
    assert_eq!(fetched(&fetch, "ENVELOPE"), None);
    let list = untagged(b"* LIST () \"/\" \"a \\\"b\\\"\"\r\n");
    assert_eq!(list.last(), Some(&Token::Text(b"a \"b\"".to_vec())));
}

#[test]
fn a_literal_is_waited_for_as_long_as_it_is_and_never_beyond_the_cap() {
    let begun = b"* 1 FETCH (BODY[] {900}\r\nabc";
    assert_eq!(response(begun, 1_000), Ok(Step::More(25 + 900 + 1)));
    let huge = response(b"* 1 FETCH (BODY[] {1073741824}\r\nabc", 1_000).unwrap_err();
    assert!(huge.contains("1073741824 bytes at once"), "{huge}");
    let endless = response(b"* 1 FETCH (BODY[] {99999999999999999999999}\r\n", 1_000).unwrap_err();
    assert!(endless.contains("at most 1000"), "{endless}");
    assert!(response(&b"* 1 FETCH ({0}\r\n".repeat(99), 1_000).is_err());
}

#[test]
fn what_is_no_response_is_said() {
    for junk in
        ["HTTP/1.1 400 Bad\r\n", "\r\n", "hello\r\n", "a1 MAYBE\r\n", "a1 BYE\r\n", "220 mx.example ESMTP\r\n"]
    {
        assert!(response(junk.as_bytes(), 1_000).unwrap_err().contains("is no IMAP response"), "{junk:?}");
    }
    assert!(response(&vec![b'*'; LONGEST_LINE + 1], 1_000).unwrap_err().contains("longer than"));
    assert!(response(b"* LIST \"open\r\n", 1_000).is_err());
}

proptest! {
    #[test]
    fn a_response_that_comes_in_pieces_is_not_taken_before_it_is_whole(
        text in "[a-z ()]{0,20}", literal in "[a-z\r\n{}]{0,40}", cut in 0_usize..99,
    ) {
        let bytes = format!("* 1 FETCH (BODY[] {{{}}}\r\n{literal} X {text})\r\n", literal.len());
        let cut = cut.min(bytes.len() - 1);
        match response(&bytes.as_bytes()[..cut], 1_000) {
            Ok(Step::More(least)) => prop_assert!(least > cut && least <= bytes.len()),
            other => prop_assert!(false, "{:?}", other),
        }
        let tokens = untagged(bytes.as_bytes());
        prop_assert_eq!(fetched(&tokens, "BODY[]"), Some(&Token::Text(literal.into_bytes())));
    }

    #[test]
    fn no_bytes_make_it_panic_or_take_more_than_there_is(
        start in "(\\* |\\+ |a1 |)", bytes in proptest::collection::vec(any::<u8>(), 0..2_000), end in "(\r\n|\\{3\\}\r\n|)",
    ) {
        let bytes = [start.as_bytes(), &bytes, end.as_bytes()].concat();
        if let Ok(Step::Whole(_, taken)) = response(&bytes, 100) {
            prop_assert!(taken <= bytes.len());
        }
    }
}
