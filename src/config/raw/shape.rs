//! The shape of probes.yaml, for editors: the texts after `///` are what they show.
//!
//! The keys are those that the loader knows; a test holds the two together.

mod flow;
mod heartbeat;
mod forge;
mod kinds;
mod mail;
mod sockets;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::Value;

pub use flow::*;
pub use forge::*;
pub use heartbeat::*;
pub use kinds::*;
pub use mail::*;
pub use sockets::*;

/// The JSON Schema (draft 2020-12) of probes.yaml.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Config).to_value()
}

/// Configuration of Tripline: probes.yaml.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Config {
    /// The service's name, for subjects of mails and the status page.
    pub name: String,
    /// Where the status page is, for links in mails. Default: mails have no links.
    pub url: Option<String>,
    /// Where services can call the daemon's own port (`run --listen`) from outside, for the hooks of flows. Default: nowhere.
    pub public_url: Option<String>,
    /// Where the checks are made from. Default: `local`.
    pub location: Option<Word>,
    /// For probes that do not say it themselves.
    pub defaults: Option<Defaults>,
    /// Labels that name sets of customers, each with its values: `workspace: [acme, globex]`.
    pub cohorts: Option<BTreeMap<String, Words>>,
    /// What users name and the status page lists, by id.
    pub components: BTreeMap<String, Option<Component>>,
    /// Questions to the service, by name.
    pub probes: BTreeMap<String, Probe>,
    /// When to raise an incident, by id. Default: `unusual-failures`, `probe-down` and, where there are
    /// heartbeats, `heartbeat-missed`, which are built in.
    pub rules: Option<BTreeMap<String, Rule>>,
    /// An incident that comes back within this time of its end is the same one, 0s to 1d. Default: 15m.
    pub reopen_within: Option<String>,
    /// Who is told, by id. Default: nobody.
    pub receivers: Option<BTreeMap<String, Receiver>>,
    /// What has nothing to do with the service: `https://example.org/` or `tcp://192.0.2.1:443`. While none of it can
    /// be reached, it is us. Default: none.
    #[schemars(length(min = 1, max = 16))]
    pub canaries: Option<Vec<String>>,
    /// When not to speak, by id. Messages wait until the window is over; everything is recorded. Default: never.
    pub maintenance: Option<BTreeMap<String, Maintenance>>,
}

/// A text, or a number taken as a text.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Word {
    /// A text.
    Text(String),
    /// A number, as it was written.
    Number(f64),
}

/// A list of at least one value.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub struct Words(#[schemars(length(min = 1))] pub Vec<Word>);

/// For probes that do not say it themselves.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Defaults {
    /// The time between the starts of two checks, 100ms to 1d. Default: 30s.
    pub interval: Option<String>,
    /// How long a check may take, from 10ms to the interval. Default: 10s.
    pub timeout: Option<String>,
    /// When a failed check is made again at once.
    pub retry: Option<Retry>,
    /// What connects for them: `http://proxy.example:3128` or `socks5://user:password@proxy.example:1080`.
    /// Default: none.
    pub proxy: Option<String>,
    /// How certificates are judged and ours are shown, by kinds that say nothing of it, or only `{}`.
    pub tls: Option<Tls>,
}

/// When a failed check is made again at once, because it may be our own network. What is not said is as in `defaults`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Retry {
    /// How many tries may follow the first, 0 to 5; 0: none. Default: 1.
    #[schemars(range(max = 5))]
    pub times: Option<u8>,
    /// The pause before each, up to 1m. Default: 2s.
    pub after: Option<String>,
    /// Which failures: some of `dns`, `connect`, `tls`, `timeout`. Default: all four.
    #[schemars(length(min = 1))]
    pub on: Option<Vec<String>>,
}

/// What users name and the status page lists.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Component {
    /// Its name for people. Default: its id.
    pub name: Option<String>,
    /// The components that it cannot work without.
    pub depends_on: Option<Words>,
}

/// A question to the service, asked again and again. It has exactly one kind, such as `http`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Probe {
    /// The component that it stands for.
    pub component: Word,
    /// Labels of `cohorts`: one probe for each combination of their values. Default: one single probe.
    pub for_each: Option<Words>,
    /// Labels of its own. Default: none.
    pub labels: Option<BTreeMap<String, Word>>,
    /// The time between the starts of two checks, 100ms to 1d. Default: that of `defaults`.
    pub interval: Option<String>,
    /// Instead of `interval`: a cron expression of 5, 6 (seconds first) or 7 (year last) fields.
    pub cron: Option<String>,
    /// The time zone of `cron`: `Europe/Berlin`. Default: UTC.
    pub timezone: Option<String>,
    /// How long a check may take, from 10ms to the interval. Default: that of `defaults`.
    pub timeout: Option<String>,
    /// When a failed check is made again at once. Default: as in `defaults`.
    pub retry: Option<Retry>,
    /// Takes steps in order, as a customer does.
    pub flow: Option<Flow>,
    /// A job calls us.
    pub heartbeat: Option<Heartbeat>,
    /// Asks by HTTP.
    pub http: Option<Http>,
    /// Lists a Git repository's refs, and fetches a commit.
    pub git: Option<Git>,
    /// Receives a large file of Git LFS.
    pub lfs: Option<Lfs>,
    /// Greets an SSH server and verifies its key.
    pub ssh: Option<Ssh>,
    /// Connects, with TLS or without.
    pub tcp: Option<Tcp>,
    /// Makes a TLS handshake, and looks at the certificates that it shows.
    pub tls: Option<TlsProbe>,
    /// Asks name servers.
    pub dns: Option<Dns>,
    /// Sends echo requests: ping.
    pub icmp: Option<Icmp>,
    /// A command of this machine: a plugin of Nagios, say.
    pub exec: Option<Exec>,
    /// Greets a mail server.
    pub smtp: Option<Smtp>,
    /// Looks into a mailbox.
    pub imap: Option<Imap>,
    /// Sees that mail arrives.
    pub mail: Option<Mail>,
    /// Asks a gRPC server for its health.
    pub grpc: Option<Grpc>,
    /// Opens a WebSocket.
    pub websocket: Option<Websocket>,
    /// Conditions in CEL, all of which must hold; which variables there are is the kind's to say. Default: what the
    /// kind itself calls a success.
    #[schemars(length(min = 1))]
    pub expect: Option<Vec<String>>,
    /// How the connection is made.
    pub resolve: Option<Resolve>,
    /// What connects for it: `http://proxy.example:3128` or `socks5://user:password@proxy.example:1080`; `none`: nothing.
    /// Default: that of `defaults`.
    pub proxy: Option<String>,
}

/// When to raise an incident. It has exactly one form: `change`, `above` (an error rate), `consecutive`, `latency`,
/// `burn_rate`, `expires_within` or `missing`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Rule {
    /// The checks that it judges. Default: all.
    pub over: Option<Over>,
    /// What counts as bad, in CEL over `failure`, `status`, `component`, `probe`, `kind`, `labels` and `timing`:
    /// `failure == "not_found"`. Default: every failed check.
    pub bad: Option<String>,
    /// Breached when the share of bad checks is more than this: `5%`.
    pub above: Option<String>,
    /// The length of the sliding window, 1s to 30d. Default: 2m, with `latency` 5m.
    pub within: Option<String>,
    /// ... and at least so many checks were bad. Default: 3. With `latency`: had the phase; default: 10.
    #[schemars(range(min = 1))]
    pub at_least: Option<u32>,
    /// Judged for the whole, and for each value and combination of values of these labels. Default: the whole.
    pub per: Option<Words>,
    /// When a breach is over.
    pub clear: Option<Clear>,
    /// Breached when more checks of a slice fail than usually do.
    pub change: Option<Change>,
    /// Breached when one probe failed so many times in a row.
    #[schemars(range(min = 1, max = 1000))]
    pub consecutive: Option<u32>,
    /// Breached when checks take too long.
    pub latency: Option<Latency>,
    /// Breached when the error budget of an objective is used up too fast.
    pub burn_rate: Option<BurnRate>,
    /// Breached when a certificate that was shown lasts no longer than this: `14d`.
    pub expires_within: Option<String>,
    /// Breached when no check of a probe has looked for so long: `10m`.
    pub missing: Option<Missing>,
    /// minor, major or critical. Default: major.
    pub severity: Option<String>,
    /// The receivers that are told. Default: all.
    pub tell: Option<Words>,
}

/// How often a rule that knows what is usual may be wrong.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Change {
    /// The false alarms that it may raise, over everything that it watches: `2 per 30d`. Default: 1 per 90d.
    pub false_alarms: Option<String>,
}

/// A quantile of how long checks take.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Latency {
    /// Which quantile, by nearest rank. Default: 95%.
    pub quantile: Option<String>,
    /// dns, connect, tls, first_byte, transfer or total. Default: total.
    pub of: Option<String>,
    /// Breached when the quantile is more than this: `2s`.
    pub above: String,
}

/// How fast an error budget is used up.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BurnRate {
    /// The share of checks that shall be good: `99.9%`.
    pub objective: String,
    /// The period of the objective, 1d to 90d. Default: 30d.
    pub over: Option<String>,
    /// Pairs of windows. Default, over 30d: 14.4 over 1h and 5m, 6 over 6h and 30m, 1 over 3d and 6h (minor).
    #[schemars(length(min = 1, max = 10))]
    pub windows: Option<Vec<BurnWindow>>,
}

/// A pair of windows, both of which must burn the budget faster than the factor.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BurnWindow {
    /// The window that tells that it matters, 1m to 30d.
    pub long: String,
    /// The window that tells that it goes on, shorter than the long one.
    pub short: String,
    /// The burn rate: 1 uses up the budget in exactly the objective's period.
    pub factor: Word,
    /// minor, major or critical. Default: that of the rule.
    pub severity: Option<String>,
}

/// How long: `10m`, or `{for: 10m}`.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Missing {
    /// So long.
    Text(String),
    /// As a map.
    Map(MissingFor),
}

/// How long.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MissingFor {
    /// So long, 1s to 30d.
    #[schemars(rename = "for")]
    pub after: String,
}

/// Some of the probes. Those that are given must all hold.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Over {
    /// Of one of these components.
    pub components: Option<Words>,
    /// From one of these definitions.
    pub probes: Option<Words>,
    /// With all of these labels.
    pub labels: Option<BTreeMap<String, Word>>,
}

/// Planned work on some of the probes (all of them unless narrowed), again and again by `cron` or once by `from`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Maintenance {
    /// On probes of one of these components.
    pub components: Option<Words>,
    /// On probes from one of these definitions.
    pub probes: Option<Words>,
    /// On probes with all of these labels.
    pub labels: Option<BTreeMap<String, Word>>,
    /// When a window begins: a cron expression of 5, 6 (seconds first) or 7 (year last) fields. Needs `for`.
    pub cron: Option<String>,
    /// The time zone of `cron`: `Europe/Berlin`. Default: UTC.
    pub timezone: Option<String>,
    /// Instead of `cron`: when the only window begins, in RFC 3339: `2026-12-01T02:00:00Z`.
    pub from: Option<String>,
    /// When the only window ends, in RFC 3339. Or give `for`.
    pub until: Option<String>,
    /// How long a window is, 1m to 30d.
    #[schemars(rename = "for")]
    pub length: Option<String>,
}

/// When a breach is over.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Clear {
    /// The share of bad checks is less than this ... Default: half of `above`. With `latency`, a time; default: `above`.
    /// Not with `change`, `consecutive` and `burn_rate`.
    pub below: Option<String>,
    /// ... for so long. Default: `within`, or 1m with `consecutive`, 30s with `change`, the short window with `burn_rate`.
    #[schemars(rename = "for")]
    pub hold: Option<String>,
}

/// Who is told. It has exactly one kind: `email`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Receiver {
    /// By mail.
    pub email: Email,
    /// How often an incident that nobody acknowledged is told again, 1m to 30d. Default: never.
    pub remind: Option<String>,
}

/// By mail.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Email {
    /// `Name <user@example.com>` or `user@example.com`.
    pub from: String,
    /// Addresses, each of which gets its own delivery.
    #[schemars(length(min = 1))]
    pub to: Vec<String>,
    /// `smtps://user:password@host:465` (TLS), `smtp://host:587` (STARTTLS) or `smtp://host:25?tls=none`.
    pub smtp: String,
    /// How the mail server's certificate is judged.
    pub tls: Option<EmailTls>,
}

/// How the mail server's certificate is judged.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EmailTls {
    /// A PEM file of certificates to trust instead of the system's.
    pub ca_file: Option<String>,
}
