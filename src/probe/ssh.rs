//! SSH: a server is greeted, keys are exchanged, its own key is verified; and, for what is behind it, we log in.

mod host_key;
mod guarded_stream;
mod login;
mod session;
mod way;

pub(super) use login::Login;
pub(super) use session::Session;
pub(super) use way::Way;

use super::broken::Broken;
use super::question::{Question, Seen};
use super::shared::Shared;
use super::stopwatch::Trace;
use crate::model::condition::Fact;
use crate::model::{Probe, SshTarget};

/// A server that can be greeted again and again.
pub(super) struct SshProbe {
    way: Way,
}

impl SshProbe {
    pub(super) fn new(target: &SshTarget, probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        Ok(Self { way: Way::new(&target.host, target.port, &target.trust, probe.resolve, shared)? })
    }
}

impl Question for SshProbe {
    async fn ask(&self, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        let session = self.way.begin(trace, seen).await?;
        let text = |text: Option<String>| text.map_or(Fact::Null, |text| Fact::Text(text.into()));
        seen.facts.extend([("banner", text(session.banner())), ("fingerprint", text(session.fingerprint()))]);
        Ok(())
    }
}
