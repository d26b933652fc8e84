//! placeholder
use std::time::Duration;
/// x
pub const TELL_AFTER: Duration = Duration::from_secs(60);
