//! Delivering: each file hands messages to one kind of receiver. What is delivered was worded before, in `notify/word`,
//! whose head says how a kind is added.

mod email;

use std::time::Duration;

use crate::model::{Destination, Message, Receiver, ReceiverKind, Timestamp};

/// How long one attempt may take, from the name's resolution to the last word of the answer.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// What became of one attempt. The texts are one line each and hold no secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sent {
    /// It was taken, with this answer.
    Delivered(String),
    /// It was not, because of this; another attempt may succeed.
    Retry(String),
    /// It was not, because of this, and no other attempt will succeed.
    Failed(String),
}

/// Makes one attempt to deliver a message that is owed since `owed` to one destination of the receiver, as the receiver
/// is configured now.
///
/// A message may arrive twice when the answer was lost.
pub async fn send(
    receiver: &Receiver,
    to: &Destination,
    message: &Message,
    owed: Timestamp,
    deadline: Duration,
) -> Sent {
    match (&receiver.kind, message) {
        (ReceiverKind::Email(email), Message::Mail(mail)) => email::send(email, to, mail, owed, deadline).await,
        // All kinds are named here as well, so that none is forgotten above.
        #[expect(unreachable_patterns, reason = "there is one kind so far, and what is worded for it fits")]
        (ReceiverKind::Email(_), message) => misfit(receiver, message),
    }
}

/// The receiver was of another kind when the message was worded. It fails: to word it anew would be another message.
fn misfit(receiver: &Receiver, message: &Message) -> Sent {
    let (form, id, kind) = (message.form(), &receiver.id, receiver.kind.as_str());
    Sent::Failed(format!("it was worded as {form}, and the kind of receiver `{id}` is `{kind}` now"))
}
