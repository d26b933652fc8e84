//! `receivers`: who is told, and by what way: one file per kind of receiver, with its keys, its row of the table and its
//! reader.
//!
//! # Adding a receiver kind
//! Each floor has a file of the kind, and one place where all kinds are listed. For a kind `foo`:
//! 1. What a message needs to get there, and the message itself, as plain data: `model/receiver/foo.rs`. The head of
//!    `notify/word.rs` lists all that it brings with it outside of this room.
//! 2. How it is written: `config/receivers/foo.rs` with the keys (`keyed!`), the row `KIND` and `read`. Listed here:
//!    `mod foo;` and, in [`Receiver`], the key `pub foo: Option<foo::Foo> = foo::KIND`, and its name in the text above
//!    that. With the second kind, `email` becomes an `Option` too.
//! 3. What people read: the keys in `docs/configuration.md`, a line in `CHANGELOG.md`; for each mistake of a config, a
//!    pair of files in `tests/configs`.
//!
//! What holds this: the compiler demands an arm of the variant wherever a kind must be told from others, and says that
//! `KIND` or `Foo::KEYS` is never used where that is not listed or not read. `config/keys_tests.rs` fills in every key
//! and finds those that are listed and not read, or read and not listed.

mod email;

use std::collections::BTreeMap;
use std::time::Duration;

use super::formerly::Claims;
use super::raw::keyed::keyed;
use super::raw::word::WordOrWords;
use super::reader::{Entry, Reader, Table};
use super::words::seconds;
use crate::model::{self, ReceiverId, ReceiverKind};

keyed! {
    /// Who is told. It has exactly one kind: `email`.
    pub struct Receiver, KINDS: [Kind] {
        /// By mail.
        pub email: email::Email = email::KIND,
        /// How often an incident that nobody acknowledged is told again, 1m to 30d. Default: never.
        pub remind: Option<String>,
        /// The id that it had before, or several: what these were told, it was told. Default: none.
        pub formerly: Option<WordOrWords>,
    }
}

/// What is known of a kind of receiver before it is read.
pub(super) struct Kind {
    /// Reads the way to it.
    read: fn(&mut Reader<'_>, Entry<'_>) -> Option<Way>,
}

/// The way to a receiver.
struct Way {
    kind: ReceiverKind,
    /// What is allowed but dangerous, after the receiver's name.
    warning: Option<&'static str>,
}

const EXAMPLE: &str = "write `oncall: {email: {from: …, to: […], smtp: …}}`";

/// What was found under `receivers`.
#[derive(Default)]
pub(super) struct Found {
    pub(super) receivers: BTreeMap<ReceiverId, model::Receiver>,
    /// The names of all of them, also of those that have problems.
    pub(super) names: Vec<String>,
    /// What they were called before, each with what it is called now.
    pub(super) formerly: BTreeMap<ReceiverId, ReceiverId>,
}

pub(super) fn read(reader: &mut Reader<'_>, table: &Table<'_>, warnings: &mut Vec<String>) -> Found {
    let mut found = Found::default();
    let entries = table.get("receivers").and_then(|entry| reader.ids(entry, EXAMPLE)).unwrap_or_default();
    if entries.is_empty() {
        warnings.push("there are no receivers: incidents are recorded, and nobody is told".into());
    }
    let mut claims = Claims::new("receiver");
    for entry in entries {
        found.names.push(entry.name.into());
        if let Some(receiver) = receiver(reader, entry, &mut claims, warnings) {
            found.receivers.insert(receiver.id.clone(), receiver);
        }
    }
    let ids: Vec<&str> = found.names.iter().map(String::as_str).collect();
    let formerly = claims.settle(reader, &ids).into_iter();
    found.formerly = formerly.map(|(former, by)| (former.into(), by.into())).collect();
    found
}

fn receiver(
    reader: &mut Reader<'_>,
    entry: Entry<'_>,
    claims: &mut Claims,
    warnings: &mut Vec<String>,
) -> Option<model::Receiver> {
    let table = reader.table(entry, Receiver::KEYS, EXAMPLE)?;
    claims.read(reader, &table, entry);
    let remind = table.get("remind").map(|entry| reader.duration(entry, seconds(60), seconds(30 * 86_400)));
    let (way, kind) = one_kind(reader, entry, &table)?;
    let way = (kind.read)(reader, way)?;
    let remind: Option<Duration> = match remind {
        Some(remind) => Some(remind?),
        None => None,
    };
    warnings.extend(way.warning.map(|warning| format!("the receiver {} {warning}", entry.name)));
    Some(model::Receiver { id: entry.name.into(), kind: way.kind, remind })
}

/// The entry of a receiver's one kind, and what is known of that.
fn one_kind<'n>(
    reader: &mut Reader<'_>,
    receiver: Entry<'n>,
    table: &Table<'n>,
) -> Option<(Entry<'n>, &'static Kind)> {
    let mut given = Receiver::KINDS.iter().filter_map(|(name, kind)| Some((table.get(name)?, kind)));
    let first = given.next();
    if first.is_none() {
        let fault = format!("the receiver `{}` has no kind: nothing says how to tell it", receiver.name);
        reader.fault(receiver.at, fault, "give it `email: {from: …, to: […], smtp: …}`");
    }
    for (other, _) in given {
        let fault =
            format!("the receiver `{}` is told by several ways, and `{}` is one more", receiver.name, other.name);
        reader.fault(other.at, fault, "make two receivers of it: each has one kind");
    }
    first
}
