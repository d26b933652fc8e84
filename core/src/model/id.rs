//! Names that people write, and ids that are derived from what they name.
//!
//! A name is a shared string: cloning one costs a counter. A derived id is a UUID of version 5 (RFC 9562,
//! section 5.5) over the parts that make the thing what it is, so working the same thing out twice gives the
//! same id, and a replay never opens or owes anything a second time.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as it was written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

name!(
    /// A maintenance: `upgrade`.
    MaintenanceId
);
name!(
    /// What a definition under `probes:` is called: `dashboard`.
    ProbeName
);
name!(
    /// One probe: the definition's name and the labels it was expanded with: `dashboard[workspace=acme]`.
    ProbeId
);
name!(
    /// What the service's users name and the status page lists: `git-https`.
    ComponentId
);
name!(
    /// What a rule is called: `not-found-spike`.
    RuleId
);
name!(
    /// Who is told: `oncall`.
    ReceiverId
);
name!(
    /// Where a check was made from: `local` unless named.
    Location
);
name!(
    /// The left side of a label: `workspace`.
    LabelName
);
name!(
    /// The right side of a label: `acme`.
    LabelValue
);

impl ProbeId {
    /// The name of the definition: what stands before the labels.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once('[').map_or(&*self.0, |(name, _)| name)
    }

    /// The id that a probe of this definition has with the same labels when the definition is called otherwise; `None`
    /// when it is of another one.
    #[must_use]
    pub fn renamed(&self, from: &ProbeName, to: &ProbeName) -> Option<Self> {
        let labels = self.0.strip_prefix(self.name()).filter(|_| self.name() == from.as_str())?;
        Some(Self::from(format!("{to}{labels}")))
    }
}

impl Location {
    /// The location of a daemon that was given no other name.
    #[must_use]
    pub fn local() -> Self {
        Self::from("local")
    }
}

/// The namespace of all ids derived here; any fixed UUID would do, and this one never changes.
const NAMESPACE: Uuid = Uuid::from_u128(0x0195_0211_1541_7000_8000_7472_6970_6c6e);

fn derive(kind: &str, parts: &[&str]) -> Uuid {
    let mut name = String::from(kind);
    for part in parts {
        // The length in front keeps ("ab", "c") and ("a", "bc") apart.
        name.push_str(&format!("\n{}:{part}", part.len()));
    }
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

macro_rules! derived_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Derives the id from the parts that make the thing what it is.
            #[must_use]
            pub fn derived(parts: &[&str]) -> Self {
                Self(derive($kind, parts))
            }

            /// Reads an id back from its sixteen bytes, as the store keeps it.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The sixteen bytes of the id.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The first eight hex digits: enough to name one at a command line.
            #[must_use]
            pub fn short(&self) -> String {
                self.0.simple().to_string().chars().take(8).collect()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

derived_id!(
    /// An incident, derived from the breach that opened it.
    IncidentId,
    "incident"
);
derived_id!(
    /// A breach, derived from its rule, its slice and the first bad check.
    BreachId,
    "breach"
);
derived_id!(
    /// A notification, derived from the incident event that caused it and the receiver.
    NotificationId,
    "notification"
);

/// A number that is spread evenly over all 64-bit values and the same on every machine and in every version.
#[must_use]
pub fn stable_hash(parts: &[&str]) -> u64 {
    derive("hash", parts).as_u64_pair().0
}
