//! The ICMP kind: echo requests, which any host answers (RFC 792, RFC 4443).

use std::time::Duration;

use super::super::unit::Ratio;
use super::Target;

/// What its expectations can look at.
pub const VARIABLES: &[&str] = &["sent", "received", "loss", "rtt", "timing", "address"];

/// The pause between two requests.
pub const PAUSE: Duration = Duration::from_millis(200);
/// The longest wait for answers once the last request was sent.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// Who is asked, and how often.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IcmpTarget {
    /// A name, or an address.
    pub host: String,
    /// How many requests a check sends.
    pub count: u16,
    /// The largest share of them that may stay without an answer. All of them never may.
    pub loss: Ratio,
}

impl Target for IcmpTarget {
    fn name(&self) -> &'static str {
        "icmp"
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn request(&self) -> String {
        format!("icmp://{}", self.host)
    }
}
