//! The words of a message, by the kind of receiver: [`facts`] is what there is to say, and each kind has a file that
//! says it in its own way.
//!
//! # Adding a receiver kind
//! It has a file of its own on each floor, called as the kind is called in the config:
//! - `model/receiver/KIND.rs`: what the config says of it, its destinations (never a URL: see
//!   [`Destination`](crate::model::Destination)), its backoff, and the message that is worded for it;
//! - `config/receivers/KIND.rs`: how it is read;
//! - `notify/word/KIND.rs`: how the news is worded, and its templates beside it;
//! - `deliver/KIND.rs`: how it is delivered.
//!
//! In these places it is a line or an arm. Once the two variants are there, the compiler names each that was forgotten, and
//! without those in the config there is no way to ask for the kind:
//! - `model/receiver.rs`: the variant of [`ReceiverKind`], and the arms of its name, its destinations and its backoff;
//! - `model/notification.rs`: the variant of [`Message`], and the arms of its form, its title and its text;
//! - [`message`], below;
//! - `deliver.rs`: the arm of `send`, and its name among those that another kind's message does not fit;
//! - `store/row/code.rs`, `store/row/message.rs`: the number of its form, for ever, and which column holds what;
//! - `config/receivers.rs`: its key, which gives the schema too, and its row.
//!
//! The engine, the outbox, the database's tables and the command line know nothing of kinds.

pub mod email;
pub mod facts;

use crate::config::Config;
use crate::model::{Incident, Message, NotificationId, NotificationKind, Receiver, ReceiverKind, Timestamp};

use facts::News;

/// Words the message that tells `receiver` this news.
#[must_use]
pub fn message(
    incident: &Incident,
    kind: NotificationKind,
    reason: &str,
    receiver: &Receiver,
    id: NotificationId,
    now: Timestamp,
    config: &Config,
) -> Message {
    let news = News { incident, kind, reason, receiver: &receiver.id, id, now, config };
    match &receiver.kind {
        ReceiverKind::Email(_) => Message::Mail(email::word(&news)),
    }
}
