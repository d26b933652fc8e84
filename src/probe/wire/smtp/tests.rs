//! Replies of SMTP: whole, in pieces, and what is none.

use proptest::prelude::*;

use super::*;

fn whole(bytes: &[u8]) -> Reply {
    match reply(bytes) {
        Ok(Step::Whole(reply, taken)) if taken == bytes.len() => reply,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reply_of_several_lines_is_one_and_what_follows_is_left() {
    let bytes = b"250-mx.example at your service\r\n250-SIZE 1000\r\n250 STARTTLS\r\n220 go";
    let Ok(Step::Whole(found, taken)) = reply(bytes) else { panic!("it is whole") };
    assert_eq!(found.code, 250);
    assert_eq!(found.lines, ["mx.example at your service", "SIZE 1000", "STARTTLS"]);
    assert_eq!(&bytes[taken..], b"220 go");
    assert_eq!(whole(b"354\n").lines, [""]);
}

#[test]
fn what_is_no_reply_is_said_and_nothing_is_read_beyond_the_caps() {
    for junk in ["HTTP/1.1 400 Bad\r\n", "2x0 hi\r\n", "250_hi\r\n", "100 hi\r\n", "600 hi\r\n", "\r\n", "25\r\n"] {
        assert!(reply(junk.as_bytes()).is_err(), "{junk:?}");
    }
    assert!(reply(b"250-a\r\n550 b\r\n").unwrap_err().contains("different codes"));
    assert!(reply(&b"250-a\r\n".repeat(MOST_LINES)).unwrap_err().contains("100 lines"));
    assert!(reply(&vec![b'2'; LONGEST_LINE + 1]).unwrap_err().contains("2000 bytes"));
}

#[test]
fn refusals_are_called_by_their_meaning() {
    use FailureClass::{ClientError, Forbidden, NotFound, ServerError, Unauthorized};
    for (line, class) in [
        ("250 2.1.5 ok", None),
        ("354 go on", None),
        ("421 too busy", Some(ServerError)),
        ("450 4.1.1 greylisted", Some(ServerError)),
        ("530 5.7.0 log in first", Some(Unauthorized)),
        ("535 5.7.8 bad credentials", Some(Unauthorized)),
        ("550 no such user here", Some(NotFound)),
        ("550 5.1.1 no such user here", Some(NotFound)),
        ("554 5.7.1 relay access denied", Some(Forbidden)),
        ("554 no SMTP here", Some(ServerError)),
        ("552 5.3.4 message too big", Some(ClientError)),
        ("502 not implemented", Some(ClientError)),
        // Of another class than the code: not an enhanced code.
        ("550 4.7.1 odd", Some(NotFound)),
    ] {
        assert_eq!(whole(format!("{line}\r\n").as_bytes()).refusal(), class, "{line}");
    }
}

proptest! {
    #[test]
    fn bytes_that_come_in_pieces_give_what_they_give_at_once(bytes in "([2-5][0-9]{2}[ -][a-z ]{0,9}\r\n){1,6}", cut in 0_usize..60) {
        let bytes = bytes.as_bytes();
        let cut = cut.min(bytes.len());
        match (reply(bytes), reply(&bytes[..cut])) {
            (Ok(Step::Whole(all, taken)), Ok(Step::Whole(part, part_taken))) => prop_assert_eq!((all, taken), (part, part_taken)),
            (_, Ok(Step::More(least))) => prop_assert!(least > cut),
            (Err(_), Err(_)) => {}
            // A fault stands behind the cut.
            (Err(_), Ok(Step::Whole(_, taken))) => prop_assert!(taken <= cut),
            (all, part) => prop_assert!(false, "{:?} {:?}", all, part),
        }
    }

    #[test]
    fn no_bytes_make_it_panic_or_take_more_than_there_is(bytes in proptest::collection::vec(any::<u8>(), 0..4_000)) {
        if let Ok(Step::Whole(found, taken)) = reply(&bytes) {
            prop_assert!(taken <= bytes.len());
            prop_assert!(found.lines.len() <= MOST_LINES);
            let _ = (found.refusal(), found.text());
        }
    }
}
