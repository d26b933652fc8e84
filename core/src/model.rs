//! Floor 0, the words: plain data that every other module speaks.
//!
//! No IO, no clock, no serde. The names are those of the project's vocabulary (see `docs/words.md`).

pub mod action;
pub mod breach;
pub mod calendar;
pub mod component;
pub mod destination;
pub mod dice;
pub mod condition;
pub mod corrected;
pub mod finding;
pub mod formerly;
pub mod id;
pub mod incident;
pub mod kind;
pub mod named;
pub mod notification;
pub mod event;
pub mod outcome;
pub mod phrase;
pub mod place;
pub mod probe;
pub mod probes;
pub mod maintenance;
pub mod receiver;
pub mod result;
pub mod retry;
pub mod rule;
pub mod secret;
pub mod severity;
pub mod token;
pub mod unit;

#[cfg(test)]
pub(crate) mod tests;

pub use action::{Action, ActionId, ActionKind};
pub use breach::{Breach, Marks, Slice};
pub use calendar::Calendar;
pub use component::Component;
pub use condition::Condition;
pub use corrected::{Apart, Corrected, FalseAlarm, Merged};
pub use destination::Destination;
pub use dice::Dice;
pub use event::{Heard, IncidentChange, IncidentEvent, WithheldFor};
pub use finding::{Example, Factor, Finding, Part, Unseen};
pub use formerly::{Formerly, IdOf};
pub use id::{
    BreachId, ComponentId, IncidentId, LabelName, LabelValue, Location, MaintenanceId, NotificationId, ProbeId,
    ProbeName, ReceiverId, RuleId,
};
pub use incident::{Incident, IncidentState};
pub use kind::{
    DnsTarget, Download, Encryption, ExecTarget, FlowTarget, GitDepth, GitTarget, GrpcTarget, HeartbeatTarget,
    HostTrust, HttpRemote, HttpTarget, IcmpTarget, ImapTarget, Integrity, IpChoice, LfsTarget, Login, MailDelivery,
    MailHost, MailSend, MailTarget, NameServer, ProbeKind, Proxy, ReadUntil, RecordKind, Remote, Resolve, SmtpTarget,
    SshLogin, SshRemote, SshTarget, StartTls, TcpTarget, TlsOptions, TlsTarget, Transport, WebsocketTarget,
};
pub use maintenance::{Maintenance, Window, Windows};
pub use named::Named;
pub use notification::{Message, Notification, NotificationKind, Undelivered};
pub use outcome::{FailureClass, Outcome, VoidReason};
pub use phrase::Phrase;
pub use place::Place;
pub use probe::{Cadence, Labels, Probe, Role};
pub use probes::{PerProbe, ProbeIndex, Probes};
pub use receiver::email::{EmailReceiver, MailAddress, MailMessage, SmtpSecurity, SmtpServer};
pub use receiver::{Backoff, Receiver, ReceiverKind};
pub use result::{Asked, CheckResult, Evidence, Judged, PeerCertificate, Phase, Phases, Why};
pub use retry::{Again, Retry};
pub use rule::{
    Bad, BurnRate, Change, Clear, Consecutive, ErrorRate, Expiry, FalseAlarms, Latency, Missing, Rule, RuleKind,
    Scope,
};
pub use secret::Secrets;
pub use severity::Severity;
pub use token::Token;
pub use unit::{Ratio, Timestamp};
