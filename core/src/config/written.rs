//! probes.yaml as a whole, as it is written: its keys, for the loader and for editors. The keys of its parts stand beside
//! what reads them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::components::Component;
use super::defaults::Defaults;
use super::kinds::Probe;
use super::maintenance::Maintenance;
use super::raw::keyed::keyed;
use super::raw::word::{Word, Words};
use super::receivers::Receiver;
use super::rules::Rule;

/// The JSON Schema (draft 2020-12) of probes.yaml.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Config).to_value()
}

keyed! {
    /// Configuration of Tripline: probes.yaml.
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
        /// When not to speak, by id. Messages wait until the window is over; everything is recorded. Default: never.
        pub maintenance: Option<BTreeMap<String, Maintenance>>,
        /// What has nothing to do with the service: `https://example.org/` or `tcp://192.0.2.1:443`. While none of it can
        /// be reached, it is us. Default: none.
        #[schemars(length(min = 1, max = 16))]
        pub canaries: Option<Vec<String>>,
    }
}
