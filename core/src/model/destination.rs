//! Destinations: where one delivery goes.

/// Where one delivery goes, whatever the kind of its receiver. It is stored, logged and shown.
///
/// It is **never a URL**: that of a chat is a secret. Such a receiver has the name of its channel, or its kind, as the
/// address; the URL is looked up in the config when the message is delivered, and is hidden even where it stands in the
/// clear there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Destination {
    /// A name for people, if one was given.
    pub name: Option<String>,
    /// What tells it from the other destinations of its receiver: a mail address, the name of a channel or a topic.
    pub address: String,
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}
