//! Floor 0, the words: plain data that every other module speaks.
//!
//! No IO, no clock, no serde. The names are those of the project's vocabulary (see `docs/words.md`).

pub mod action;
pub mod calendar;
pub mod component;
pub mod dice;
pub mod condition;
pub mod id;
pub mod incident;
pub mod kind;
pub mod notification;
pub mod event;
pub mod outcome;
pub mod phrase;
pub mod place;
pub mod probe;
pub mod quiet;
pub mod receiver;
pub mod result;
pub mod retry;
pub mod rule;
pub mod secret;
pub mod token;
pub mod unit;

#[cfg(test)]
pub(crate) mod tests;

pub use action::{Action, ActionId, ActionKind};
pub use calendar::Calendar;
pub use component::Component;
pub use condition::Condition;
pub use dice::Dice;
pub use event::{IncidentChange, IncidentEvent};
pub use id::{
    BreachId, ComponentId, IncidentId, LabelName, LabelValue, Location, MaintenanceId, NotificationId, ProbeId,
    ProbeName, ReceiverId, RuleId,
};
pub use incident::{Breach, Factor, Finding, Incident, IncidentState, Severity, Slice, Unseen};
pub use kind::{
    DnsTarget, Download, Encryption, ExecTarget, FlowTarget, GitDepth, GitTarget, GrpcTarget, HeartbeatTarget,
    HostTrust, HttpRemote, HttpTarget, IcmpTarget, ImapTarget, Integrity, IpChoice, LfsTarget, Login, MailDelivery,
    MailHost, MailSend, MailTarget, NameServer, ProbeKind, Proxy, ReadUntil, RecordKind, Remote, Resolve, SmtpTarget,
    SshLogin, SshRemote, SshTarget, StartTls, TcpTarget, TlsOptions, TlsTarget, Transport, WebsocketTarget,
};
pub use notification::{Message, Notification, NotificationKind};
pub use outcome::{FailureClass, Outcome, VoidReason};
pub use phrase::Phrase;
pub use place::Place;
pub use probe::{Cadence, Labels, Probe, Role};
pub use quiet::{Maintenance, Window, Windows};
pub use receiver::{EmailReceiver, MailAddress, Receiver, ReceiverKind, SmtpSecurity, SmtpServer};
pub use result::{CheckResult, Evidence, PeerCertificate, Phases};
pub use retry::{Again, Retry};
pub use rule::{
    Bad, BurnRate, Change, Clear, Consecutive, ErrorRate, Expiry, FalseAlarms, Latency, Missing, Phase, Rule,
    RuleKind, Scope,
};
pub use secret::Secrets;
pub use token::Token;
pub use unit::{Ratio, Timestamp};
