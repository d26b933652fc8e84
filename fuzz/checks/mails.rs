//! What mail servers say.

use tripline::probe::wire::{imap, smtp as wire_smtp, step::Step};

/// A unit is found in the same bytes whatever follows, and never before it is whole.
fn steady<T: PartialEq + std::fmt::Debug>(
    data: &[u8],
    parse: impl Fn(&[u8]) -> Result<Step<T>, String>,
) -> Option<T> {
    match parse(data) {
        Ok(Step::Whole(found, taken)) => {
            assert!(taken > 0 && taken <= data.len());
            let alone = parse(&data[..taken]);
            assert!(
                matches!(&alone, Ok(Step::Whole(alone, count)) if (alone, *count) == (&found, taken)),
                "{alone:?}"
            );
            for end in [taken - 1, taken / 2, taken / 3] {
                assert!(matches!(parse(&data[..end]), Ok(Step::More(least)) if least > end), "whole at {end}");
            }
            Some(found)
        }
        Ok(Step::More(least)) => {
            assert!(least > data.len(), "{least} bytes are asked for, and have come");
            None
        }
        Err(_) => None,
    }
}

/// Whatever a mail server says is a reply, the beginning of one, or none; it is no longer than the caps, and its words can
/// be shown.
pub(crate) fn smtp(data: &[u8]) {
    let Some(reply) = steady(data, wire_smtp::reply) else { return };
    assert!((1..=wire_smtp::MOST_LINES).contains(&reply.lines.len()));
    assert!(reply.lines.iter().all(|line| line.len() <= 3 * wire_smtp::LONGEST_LINE));
    assert_eq!(reply.refusal().is_none(), reply.code < 400);
    let _ = (reply.text(), reply.enhanced());
}

/// Whatever an IMAP server says is a response, the beginning of one, or none; its literals are no longer than was allowed.
pub(crate) fn imap(data: &[u8]) {
    match steady(data, |bytes| imap::response(bytes, 1024)) {
        Some(imap::Response::Untagged(tokens)) => {
            assert!(tokens.len() <= 10_016);
            let _ = (imap::exists(&tokens), imap::words_of(&tokens, "SEARCH"), imap::fetched(&tokens, "BODY[]"));
        }
        Some(imap::Response::State(status) | imap::Response::Done(_, status)) => {
            let _ = (status.refusal(tripline::model::FailureClass::NotFound), status.said());
        }
        _ => {}
    }
}
