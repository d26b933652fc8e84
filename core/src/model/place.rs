//! Places: where a check was made from and which address it went to.

use std::net::IpAddr;

use super::id::{LabelName, LabelValue, Location};

/// Where a check was made from and which address it went to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Made from.
    pub location: Location,
    /// Connected to, if it came to that.
    pub address: Option<IpAddr>,
}

impl Place {
    /// The labels that every check has by its place. A label of the same name that a probe has by itself comes first.
    pub const LABELS: [&str; 3] = ["location", "address", "ip"];

    /// The value of one of these labels: `local`, `192.0.2.1`, `4` or `6`.
    #[must_use]
    pub fn label(&self, name: &LabelName) -> Option<LabelValue> {
        match (name.as_str(), self.address) {
            ("location", _) => Some(self.location.as_str().into()),
            ("address", Some(address)) => Some(address.to_string().as_str().into()),
            ("ip", Some(address)) => Some(if address.is_ipv4() { "4" } else { "6" }.into()),
            _ => None,
        }
    }
}
