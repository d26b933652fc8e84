//! `flow`: steps in order, each with what the ones before have captured.

mod capture;
mod hook;
mod totp;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::http::Http;
use super::{Around, Kind, Open, Reach, given_or, http, mail, smtp};
use crate::config::expect::{condition, expect};
use crate::config::problem::Place;
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader, Table};
use crate::config::text::{CAPTURED, Given, Template, Values, as_it_is, for_url};
use crate::config::words::{seconds, shown};
use crate::model::kind::flow::{self as meant, Act, CALL_VARIABLES, HttpStep, KEPT_BACK, MAIL_VARIABLES, Step};
use crate::model::kind::{self, http::VARIABLES};
use crate::model::unit::show_duration;
use crate::model::{Condition, FlowTarget, Phrase, ProbeKind};

use capture::Capture;
use hook::{Hook, Receive};
use totp::Totp;

keyed! {
    /// Steps in order, as a customer takes them: signing in and out, a job from its start to its end.
    pub struct Flow {
        /// At least one, at most 32; see steps.
        #[schemars(length(min = 1, max = 32))]
        pub steps: Vec<FlowStep>,
        /// Where one-time codes come from, by name; see one-time codes. Default: none.
        pub totp: Option<BTreeMap<String, Totp>>,
        /// Where the service calls us, for steps that wait for that; see hooks. Default: nowhere.
        pub hook: Option<Hook>,
        /// The address to which the service sends mail, for steps that wait for that; see mail steps. Default: nowhere.
        pub mailbox: Option<String>,
    }
}

keyed! {
    /// A step of a flow. `{{name}}` in its `url`, `headers` and `body` is a label, what a step before captured, or, as
    /// `{{totp:NAME}}`, a one-time code.
    pub struct FlowStep {
        /// Its name in results, unique in the flow.
        pub name: Word,
        /// What is asked; see http. The cookies of the flow are sent along. A step has either this, `receive` or `mail`.
        pub http: Option<Http>,
        /// Waits for a call of the flow's hook; see hooks.
        pub receive: Option<Receive>,
        /// Waits for a mail to the flow's mailbox; see mail steps.
        pub mail: Option<Receive>,
        /// What is taken from the answer, by name; see capture. Default: nothing.
        pub capture: Option<BTreeMap<String, Capture>>,
        /// Conditions in CEL, all of which must hold, as those of http; with `receive` over `method`, `headers`, `body` and
        /// `json` of the call, with `mail` over `subject`, `headers`, `body` and `html`. Default: a 2xx status.
        #[schemars(length(min = 1))]
        pub expect: Option<Vec<String>>,
        /// Asks again and again until what is expected holds; see until. Default: asks once.
        pub until: Option<Until>,
        /// Whether it is taken even after another step has failed, to clean up. Default: false.
        pub always: Option<bool>,
    }
}

keyed! {
    /// How a step waits for what it expects.
    pub struct Until {
        /// The time between the starts of two tries, 100ms to 1h. Default: 2s.
        pub every: Option<String>,
        /// How long it waits altogether, 1s to 1d; less than the probe's `timeout`.
        pub r#for: String,
        /// A condition in CEL that ends the waiting at once, as a failure: `json.state == "failed"`. Default: none.
        pub fail: Option<String>,
    }
}

/// How many steps a flow may have.
const MOST_STEPS: usize = 32;
/// What a step calls the URL of the flow's hook, and its mailbox.
const HOOK_URL: &str = "hook_url";
const MAIL_ADDRESS: &str = "mail_address";
/// The time between two tries, unless the step says otherwise.
const EVERY: Duration = seconds(2);
const EXAMPLE: &str = "write `steps: [{name: open, http: {url: \"https://example.com/\"}}]`";

pub(super) const KIND: Kind = Kind { variables: |_| kind::flow::VARIABLES, reach: Reach::Server, read };

/// Steps whose labels are still open.
struct FlowShape {
    steps: Vec<StepShape>,
    totp: BTreeMap<String, meant::Totp>,
    hook: Option<hook::HookShape>,
    mailbox: Option<Template>,
}

struct StepShape {
    name: String,
    act: ActShape,
    expect: Arc<[Condition]>,
    captures: Vec<meant::Capture>,
    until: Option<meant::Until>,
    always: bool,
}

enum ActShape {
    Http(Box<http::HttpShape>),
    Receive(Duration),
    Mail(Duration),
}

fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Box<dyn Open>> {
    let table = reader.table(entry, Flow::KEYS, EXAMPLE)?;
    let totp = table.get("totp").map(|entry| totp::read(reader, entry));
    let codes: Vec<String> =
        totp.iter().flatten().flat_map(BTreeMap::keys).map(|name| format!("totp:{name}")).collect();
    let hook = table.get("hook").map(|entry| hook::read(reader, entry, around));
    let mailbox = table.get("mailbox").map(|entry| mail::own_address(reader, entry, around));
    let entries = reader.need(&table, "steps", EXAMPLE).and_then(|entry| reader.list(entry, EXAMPLE))?;
    if let Some(beyond) = entries.get(MOST_STEPS) {
        reader.fault(beyond.at, format!("a flow has at most {MOST_STEPS} steps"), "make two probes of it");
        return None;
    }
    let labels = &around.given.labels;
    // What a step may name: labels, codes, and what was captured before it. Where one of these has a problem of its
    // own, nobody complains of its use.
    let mut given =
        Given { labels: labels.clone(), captures: true, all: around.given.all && !matches!(totp, Some(None)) };
    given.labels.extend(codes.iter().map(|name| (name.as_str(), CAPTURED)));
    if hook.is_some() {
        given.labels.insert(HOOK_URL, CAPTURED);
    }
    if mailbox.is_some() {
        given.labels.insert(MAIL_ADDRESS, CAPTURED);
    }
    let mut steps: Vec<StepShape> = Vec::new();
    let mut names = BTreeSet::new();
    let count = entries.len();
    // How long the steps may wait, and where the last of them says so.
    let mut waiting: Option<(Duration, Place)> = None;
    for entry in entries {
        let Some(table) = reader.table(entry, FlowStep::KEYS, EXAMPLE) else { continue };
        let name = name(reader, &table, &mut names);
        let step = Around { given: &given, all_tls: around.all_tls, ..*around };
        let step = act(reader, &table, step, hook.is_some(), mailbox.is_some()).zip(name);
        let variables = match (table.get("receive"), table.get("mail")) {
            (Some(_), _) => CALL_VARIABLES,
            (None, Some(_)) => MAIL_VARIABLES,
            (None, None) => VARIABLES,
        };
        let expect = match table.get("expect") {
            Some(entry) => expect(reader, entry, variables),
            None => Some(Arc::default()),
        };
        let until = match table.get("until") {
            Some(entry) => until(reader, entry, &table).map(Some),
            None => Some(None),
        };
        if let Some((ActShape::Receive(within) | ActShape::Mail(within), _)) = &step {
            let place = table.get("receive").or(table.get("mail")).map_or(table.at, |entry| entry.at);
            waiting = Some((waiting.map_or(Duration::ZERO, |(waiting, _)| waiting) + *within, place));
        }
        if let Some(Some((until, place))) = &until {
            waiting = Some((waiting.map_or(Duration::ZERO, |(waiting, _)| waiting) + until.limit, *place));
        }
        let always = table.get("always").map(|entry| reader.flag(entry));
        let captures = table.get("capture").map(|entry| capture::read(reader, entry, labels));
        let captures = given_or(captures, Vec::new());
        given.all &= captures.is_some();
        given.labels.extend(captures.iter().flatten().map(|(name, _)| (*name, CAPTURED)));
        let whole = || {
            let ((act, name), captures) = (step?, captures?.into_iter().map(|(_, capture)| capture).collect());
            let always = given_or(always, false)?;
            Some(StepShape { name, act, expect: expect?, captures, until: until?.map(|(until, _)| until), always })
        };
        steps.extend(whole());
    }
    compare(reader, waiting, around.timeout, steps.iter().any(|step| step.always))?;
    let hook = given_or(hook.map(|hook| hook.map(Some)), None)?;
    let mailbox = given_or(mailbox.map(|mailbox| mailbox.map(Some)), None)?;
    let totp = given_or(totp, BTreeMap::new())?;
    if steps.len() < count {
        return None;
    }
    Some(Box::new(FlowShape { steps, totp, hook, mailbox }))
}

fn name(reader: &mut Reader<'_>, table: &Table<'_>, names: &mut BTreeSet<String>) -> Option<String> {
    let entry = reader.need(table, "name", "name the step, for results: `name: sign-in`")?;
    let text = reader.word(entry).and_then(|text| shown(reader, text))?;
    if !names.insert(text.value.clone()) {
        reader.fault(text.place, format!("two steps are named `{}`", text.value), "give each its own name");
        return None;
    }
    Some(text.value)
}

/// What a step does: it asks, or it waits for a call, which needs a hook, or for a mail, which needs a mailbox.
fn act(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    mut around: Around<'_>,
    hook: bool,
    mailbox: bool,
) -> Option<ActShape> {
    let mut given = ["http", "receive", "mail"].into_iter().filter_map(|name| table.get(name));
    let Some(first) = given.next() else {
        reader.need(table, "http", "say what is asked: `http: {url: \"https://example.com/\"}`");
        return None;
    };
    if let Some(other) = given.next() {
        let fault = format!("a step has one of `http`, `receive` and `mail`; this has `{}` too", first.name);
        reader.fault(other.at, fault, "make two steps of it");
        return None;
    }
    if first.name == "http" {
        return http::read(reader, first, &mut around).map(|http| ActShape::Http(Box::new(http)));
    }
    if let Some(until) = table.get("until") {
        let fault = format!("`until` means nothing with `{}`", first.name);
        reader.fault(until.at, fault, format!("`within` of `{}` says how long it waits", first.name));
        return None;
    }
    let (there, fault, remedy) = match first.name {
        "receive" => (
            hook,
            "`receive` waits for calls, and the flow has no `hook`",
            "give the flow one: `hook: {token: \"${env:HOOK_TOKEN}\"}`",
        ),
        _ => (
            mailbox,
            "`mail` waits for mail, and the flow has no `mailbox`",
            "give the flow one: `mailbox: canary@probes.example.com`",
        ),
    };
    if !there {
        reader.fault(first.at, fault, remedy);
        return None;
    }
    let within = hook::within(reader, first)?;
    Some(if first.name == "receive" { ActShape::Receive(within) } else { ActShape::Mail(within) })
}

/// All waiting must be over before the check is, and leave the share that is kept back for cleaning up.
fn compare(
    reader: &mut Reader<'_>,
    waiting: Option<(Duration, Place)>,
    timeout: Option<Duration>,
    cleans: bool,
) -> Option<()> {
    let (Some((waiting, place)), Some(timeout)) = (waiting, timeout) else { return Some(()) };
    let share = if cleans { timeout - timeout / KEPT_BACK } else { timeout };
    if waiting < share {
        return Some(());
    }
    let (waiting, share) = (show_duration(waiting), show_duration(share));
    let kept = if cleans { ", a fifth being kept back for cleaning up" } else { "" };
    let fault = format!("the steps may wait {waiting}, and a check has {share} for them{kept}");
    reader.fault(place, fault, "make the probe's `timeout` longer, or the waiting shorter");
    None
}

/// How a step waits, and where it says how long.
fn until(reader: &mut Reader<'_>, entry: Entry<'_>, step: &Table<'_>) -> Option<(meant::Until, Place)> {
    let example = "write `until: {every: 2s, for: 60s}`";
    let table = reader.table(entry, Until::KEYS, example)?;
    if step.get("expect").is_none() {
        reader.fault(entry.at, "`until` without `expect` waits for nothing", "say in `expect` what must become true");
    }
    let every = table.get("every").map(|entry| reader.duration(entry, Duration::from_millis(100), seconds(3_600)));
    let limit = reader.need(&table, "for", example);
    let limit = limit.and_then(|entry| Some((reader.duration(entry, seconds(1), seconds(86_400))?, entry)));
    let fail = table.get("fail").map(|entry| {
        let fail = condition(reader, entry, VARIABLES)?;
        // Two brackets more may be too much for a condition that is just short enough.
        let opposite = Condition::parse(&format!("!({})", fail.source()), VARIABLES);
        let opposite =
            opposite.map_err(|why| reader.fault(entry.node.place, why.fault, "write a simpler one")).ok()?;
        Some(Some((fail, opposite)))
    });
    let (limit, at) = limit?;
    Some((meant::Until { every: given_or(every, EVERY)?, limit, fail: given_or(fail, None)? }, at.node.place))
}

impl Open for FlowShape {
    fn skips_verification(&self) -> bool {
        self.steps.iter().any(|step| match &step.act {
            ActShape::Http(http) => http.skips_verification(),
            ActShape::Receive(_) | ActShape::Mail(_) => false,
        })
    }

    fn fill(&self, reader: &mut Reader<'_>, labels: &Values<'_>) -> Option<ProbeKind> {
        let mut known = labels.clone();
        let codes: Vec<String> = self.totp.keys().map(|name| format!("totp:{name}")).collect();
        known.extend(codes.iter().map(|name| (name.as_str(), CAPTURED)));
        if self.hook.is_some() {
            known.insert(HOOK_URL, CAPTURED);
        }
        if self.mailbox.is_some() {
            known.insert(MAIL_ADDRESS, CAPTURED);
        }
        let mut steps = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let act = match &step.act {
                ActShape::Http(http) => Act::Http(Box::new(http_step(reader, http, labels, &known)?)),
                ActShape::Receive(within) => Act::Receive(*within),
                ActShape::Mail(within) => Act::Mail(*within),
            };
            known.extend(step.captures.iter().map(|capture| (capture.name.as_str(), CAPTURED)));
            steps.push(Step {
                name: step.name.clone(),
                act,
                expect: step.expect.clone(),
                captures: step.captures.clone(),
                until: step.until.clone(),
                always: step.always,
            });
        }
        let hook = match &self.hook {
            Some(hook) => Some(hook.fill(reader, labels)?),
            None => None,
        };
        let mailbox = match &self.mailbox {
            Some(mailbox) => Some(smtp::address(reader, mailbox, labels)?),
            None => None,
        };
        Some(ProbeKind::Flow(FlowTarget { steps, totp: self.totp.clone(), hook, mailbox }))
    }
}

/// `known` has the labels, and something for each hole.
fn http_step(
    reader: &mut Reader<'_>,
    shape: &http::HttpShape,
    labels: &Values<'_>,
    known: &Values<'_>,
) -> Option<HttpStep> {
    let base = shape.request(reader, known)?;
    let headers = shape.headers.iter().map(|(name, value)| {
        let phrase = value.open(labels, as_it_is);
        let hidden = phrase.secret || phrase.has_holes() || http::SENSITIVE.contains(&name.as_str());
        (name.clone(), phrase, hidden)
    });
    Some(HttpStep {
        url: shape.url.open(labels, for_url),
        headers: headers.collect(),
        body: shape.body.as_ref().map_or_else(Phrase::default, |body| body.open(labels, as_it_is)),
        base,
    })
}
