//! `rules`: when to raise an incident; our own rules when none are given. One file per kind of rule, with its keys, its
//! row of the table and its reader.
//!
//! # Adding a rule kind
//! Each floor has a file of the kind, and one place where all kinds are listed. For a kind `foo`:
//! 1. What is judged, as plain data: `Foo` in `model/rule/foo.rs`, with what it says of itself. Listed in `model/rule.rs`:
//!    its variant of `RuleKind` and two arms.
//! 2. How it is written: `config/rules/foo.rs` with the keys of its own map, if it has one (`keyed!`), the row `KIND` and
//!    `read`. Listed here: `mod foo;` and, in [`Rule`], the key `pub foo: Option<foo::Foo> = foo::KIND`, and its name in
//!    the text above that.
//! 3. How it is judged: `detect/foo.rs`. Listed in `detect.rs`.
//! 4. What people read: the keys in `docs/configuration.md`, a line in `CHANGELOG.md`; for each mistake of a config, a
//!    pair of files in `tests/configs`.
//!
//! What holds this: the compiler demands an arm of the variant wherever a kind must be told from others, and says that
//! `KIND` or `Foo::KEYS` is never used where that is not listed or not read. `config/keys_tests.rs` fills in every key
//! and finds those that are listed and not read, or read and not listed.

mod bad;
mod built_in;
mod burn_rate;
mod change;
mod companions;
mod consecutive;
mod error_rate;
mod expiry;
mod latency;
mod missing;
mod scope;

use std::collections::BTreeMap;
use std::time::Duration;

use super::formerly::Claims;
use super::probes;
use super::raw::keyed::keyed;
use super::raw::word::{WordOrWords, Words};
use super::reader::{Entry, Names, Reader, Table};
use super::words::seconds;
use crate::model::rule::OFFLINE;
use crate::model::{self, Component, LabelName, LabelValue, Probe, ReceiverId, RuleId, RuleKind, Scope, Severity};

pub(crate) use scope::over;
pub(super) use scope::scope_in;

keyed! {
    /// When to raise an incident. It has exactly one form: `change`, `above` (an error rate), `consecutive`, `latency`,
    /// `burn_rate`, `expires_within` or `missing`.
    pub struct Rule, KINDS: [Kind] {
        /// The checks that it judges. Default: all.
        pub over: Option<scope::Over>,
        /// What counts as bad, in CEL over `failure`, `status`, `component`, `probe`, `kind`, `labels` and `timing`:
        /// `failure == "not_found"`. Default: every failed check.
        pub bad: Option<String>,
        /// Breached when the share of bad checks is more than this: `5%`.
        pub above: Option<String> = error_rate::KIND,
        /// The length of the sliding window, 1s to 30d. Default: 2m, with `latency` 5m.
        pub within: Option<String>,
        /// ... and at least so many checks were bad. Default: 3. With `latency`: had the phase; default: 10.
        #[schemars(range(min = 1))]
        pub at_least: Option<u32>,
        /// Judged for the whole, and for each value and combination of values of these labels. Default: the whole.
        pub per: Option<Words>,
        /// When a breach is over.
        pub clear: Option<companions::Clear>,
        /// Breached when more checks of a slice fail than usually do.
        pub change: Option<change::Change> = change::KIND,
        /// Breached when one probe failed so many times in a row.
        #[schemars(range(min = 1, max = 1000))]
        pub consecutive: Option<u32> = consecutive::KIND,
        /// Breached when checks take too long.
        pub latency: Option<latency::Latency> = latency::KIND,
        /// Breached when the error budget of an objective is used up too fast.
        pub burn_rate: Option<burn_rate::BurnRate> = burn_rate::KIND,
        /// Breached when a certificate that was shown lasts no longer than this: `14d`.
        pub expires_within: Option<String> = expiry::KIND,
        /// Breached when no check of a probe has looked for so long: `10m`.
        pub missing: Option<missing::Missing> = missing::KIND,
        /// minor, major or critical. Default: major.
        pub severity: Option<String>,
        /// The receivers that are told. Default: all.
        pub tell: Option<Words>,
        /// The id that it had before, or several: what these found goes on as its own. Default: none.
        pub formerly: Option<WordOrWords>,
    }
}

/// What is known of a kind of rule before it is read.
pub(super) struct Kind {
    /// The keys that go with the one that says which kind it is.
    companions: &'static [&'static str],
    /// Reads the rule, of which the entry is the key that says which kind it is.
    read: fn(&mut Reader<'_>, &Table<'_>, Entry<'_>, &Surroundings<'_>) -> Option<Vec<Part>>,
    /// Whether the rule makes sense for the probes that it covers, where that is a question.
    suits: Option<Suits>,
}

type Suits = fn(&mut Reader<'_>, Entry<'_>, &[Part], &[&Probe]) -> Option<()>;

#[cfg(test)]
impl Rule {
    /// The keys that go with this one.
    pub(super) fn companions(key: &str) -> &'static [&'static str] {
        Self::KINDS.iter().find(|(name, _)| *name == key).map_or(&[], |(_, kind)| kind.companions)
    }
}

/// What one rule of the config becomes, or one part of it.
struct Part {
    /// Behind the rule's id, where there are several.
    suffix: String,
    kind: RuleKind,
    /// If it is not that of the rule.
    severity: Option<Severity>,
}

impl Part {
    /// A rule that is not several.
    fn whole(kind: RuleKind) -> Vec<Self> {
        vec![Self { suffix: String::new(), kind, severity: None }]
    }
}

/// The longest time in a rule.
const LONGEST_WINDOW: Duration = seconds(30 * 86_400);

/// What a rule refers to.
pub(super) struct Surroundings<'a> {
    pub(super) components: &'a [Component],
    pub(super) probes: &'a probes::Found,
    pub(super) cohorts: &'a BTreeMap<LabelName, Vec<LabelValue>>,
    pub(super) receivers: &'a [String],
}

impl Surroundings<'_> {
    fn everyone(&self) -> Vec<ReceiverId> {
        self.receivers.iter().map(|name| ReceiverId::from(name.as_str())).collect()
    }
}

/// What was found under `rules`.
#[derive(Default)]
pub(super) struct Found {
    pub(super) all: Vec<model::Rule>,
    /// What they were called before, each with what it is called now.
    pub(super) formerly: BTreeMap<RuleId, RuleId>,
}

pub(super) fn read(reader: &mut Reader<'_>, table: &Table<'_>, around: &Surroundings<'_>) -> Found {
    let Some(entry) = table.get("rules") else {
        return Found { all: built_in::built_in(around), ..Found::default() };
    };
    let entries = reader.ids(entry, "write `rules: {spike: {above: 5%}}`, or remove the key for the built-in rules");
    let entries = entries.unwrap_or_default();
    let ids: Vec<&str> = entries.iter().map(|entry| entry.name).chain([OFFLINE]).collect();
    let mut claims = Claims::new("rule");
    let mut by_id: BTreeMap<&str, Vec<model::Rule>> = BTreeMap::new();
    let mut found = Found::default();
    for entry in entries {
        let rules = rule(reader, entry, around, &mut claims).unwrap_or_default();
        found.all.extend(rules.iter().cloned());
        by_id.insert(entry.name, rules);
    }
    for (former, by) in claims.settle(reader, &ids) {
        // Each part goes on for the part of the same name.
        let suffixes = by_id.get(by.as_str()).into_iter().flatten().filter_map(|rule| {
            let suffix = rule.id.as_str().strip_prefix(by.as_str())?;
            Some((RuleId::from(format!("{former}{suffix}")), rule.id.clone()))
        });
        found.formerly.extend(suffixes);
    }
    found
}

/// Reads one rule; one by burn rate becomes several, one for each pair of its windows.
fn rule(
    reader: &mut Reader<'_>,
    entry: Entry<'_>,
    around: &Surroundings<'_>,
    claims: &mut Claims,
) -> Option<Vec<model::Rule>> {
    if entry.name == OFFLINE {
        let fault = "`offline` is the built-in rule that tells when Tripline itself cannot see";
        reader.fault(entry.at, fault, "give your rule another id");
    }
    let table = reader.table(entry, Rule::KEYS, "write `{change: {}}`, `{above: 5%}` or `{consecutive: 3}`")?;
    claims.read(reader, &table, entry);
    let over = match table.get("over") {
        Some(entry) => scope::scope(reader, entry, around),
        None => Some(Scope::default()),
    };
    let severities = Severity::ALL.map(|severity| (severity.as_str(), severity));
    let severity = match table.get("severity") {
        Some(entry) => reader.choice(entry, &severities),
        None => Some(Severity::Major),
    };
    let receivers =
        Names { what: "receiver", all: around.receivers.iter().map(String::as_str).collect(), needed: false };
    let tell = match table.get("tell") {
        Some(entry) => reader
            .references(entry, &receivers, "name receivers, or remove the key to tell all of them")
            .map(|names| names.into_iter().map(ReceiverId::from).collect()),
        None => Some(around.everyone()),
    };
    let form = form(reader, &table);
    let parts = form.and_then(|(entry, kind)| (kind.read)(reader, &table, entry, around));
    let (over, severity, tell, parts) = (over?, severity?, tell?, parts?);
    if let Some((entry, Kind { suits: Some(suits), .. })) = form {
        let covered: Vec<&Probe> = around.probes.probes.iter().filter(|probe| over.covers(probe)).collect();
        suits(reader, entry, &parts, &covered)?;
    }
    let part = |part: Part| model::Rule {
        id: format!("{}{}", entry.name, part.suffix).into(),
        over: over.clone(),
        kind: part.kind,
        severity: part.severity.unwrap_or(severity),
        tell: tell.clone(),
        built_in: false,
    };
    Some(parts.into_iter().map(part).collect())
}

/// The key that says of which kind the rule is, and what is known of that; there must be one, and no key of another kind.
fn form<'n>(reader: &mut Reader<'_>, table: &Table<'n>) -> Option<(Entry<'n>, &'static Kind)> {
    let forms: Vec<String> = Rule::KINDS.iter().map(|(name, _)| format!("`{name}`")).collect();
    let forms = forms.join(", ");
    let Some((first, kind)) = Rule::KINDS.iter().find_map(|(name, kind)| Some((table.get(name)?, kind))) else {
        // Keys that mean nothing by themselves are those of an error rate, which will say what it misses.
        let rate = error_rate::KIND.companions.iter().find_map(|name| table.get(name));
        if rate.is_none() {
            let fault = "the rule does not say when it is breached";
            reader.fault(
                table.at,
                fault,
                format!("give it `change: {{}}`, `above: 5%` or `consecutive: 3`; the forms are {forms}"),
            );
        }
        return rate.map(|entry| (entry, &error_rate::KIND));
    };
    let others = Rule::KINDS.iter().flat_map(|(name, kind)| std::iter::once(name).chain(kind.companions));
    let mut strange = others.filter(|name| **name != first.name && !kind.companions.contains(*name));
    let Some(other) = strange.find_map(|name| table.get(name)) else { return Some((first, kind)) };
    // The form that is not an error rate is the one to point at: most keys are of that.
    let (at, with) = if first.name == "above" { (other, first) } else { (first, other) };
    let fault = format!("a rule has one form, and `{}` does not go with `{}`", at.name, with.name);
    reader.fault(at.at, fault, format!("make two rules of it; the forms are {forms}"));
    None
}
