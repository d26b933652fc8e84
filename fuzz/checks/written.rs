//! What people write: the configuration, scenarios of drills, calendars.

use std::sync::{Arc, LazyLock};

use tripline::config::{Config, Outside, load};
use tripline::drill::scenario::{self, Wanted};
use tripline::model::{Calendar, Timestamp};

/// An outside that has one variable and one file.
pub(super) struct Little;

/// The value of the one variable.
pub(super) const SECRET: &str = "s3cr3t-Zq8vKf2xWm5TpLd7";

impl Outside for Little {
    fn env(&self, name: &str) -> Option<String> {
        (name == "TOKEN").then(|| SECRET.into())
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        if path == "a.pem" { Ok(b"-----BEGIN CERTIFICATE-----\n".to_vec()) } else { Err("no such file".into()) }
    }
}

/// Any text as probes.yaml is taken, or its problems are told; and a secret is in none of them.
pub(crate) fn probes_yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match load("probes.yaml", text, &Little) {
        Ok(config) => assert!(!config.probes.is_empty(), "a configuration without probes was taken"),
        Err(problems) => {
            assert!(problems.count() > 0);
            assert!(!problems.to_string().contains(SECRET), "a secret is shown");
        }
    }
}

const CONFIG: &str = "name: Forge
cohorts: {workspace: [acme, globex]}
components: {website: {name: Website}, api: {name: API}}
probes:
  page: {component: website, for_each: [workspace], labels: {tier: web}, http: {url: \"https://forge.example/{{workspace}}\"}}
  api: {component: api, http: {url: \"https://forge.example/api\", headers: {authorization: \"Bearer ${env:TOKEN}\"}}}
receivers: {oncall: {email: {from: a@example.com, to: [b@example.com], smtp: \"smtp://127.0.0.1:2525\"}}}
";

static KNOWN: LazyLock<Option<Arc<Config>>> = LazyLock::new(|| {
    load("probes.yaml", CONFIG, &Little).map(Arc::new).map_err(|problems| panic!("{problems}")).ok()
});

/// Any text as a scenario is taken, or its problems are told; one that is taken lasts a year at most.
pub(crate) fn scenario(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let configs = |_: Wanted<'_>| KNOWN.clone().ok_or_else(|| "there is none".to_owned());
    match scenario::read("drill.yaml", text, &Little, &configs) {
        Ok((scenario, _)) => {
            assert!(scenario.length.as_secs() <= 366 * 86_400);
            let scripted = scenario.restarts.len() + scenario.reloads.len() + scenario.suspended.len();
            assert!(scenario.faults.len() + scripted + scenario.acts.len() <= text.len());
        }
        Err(problems) => {
            assert!(problems.count() > 0);
            assert!(!problems.to_string().contains(SECRET), "a secret is shown");
        }
    }
}

/// Zones with rules of all sorts: none, an hour, half an hour, a month of their own, a day that was left out.
const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
];

/// The first nine bytes are a zone and a moment, the others a cron expression. What is taken names times that go forward,
/// and none is skipped: from anywhere between two of them, the next is the same.
pub(crate) fn calendar(data: &[u8]) {
    let Some((head, expression)) = data.split_first_chunk::<9>() else { return };
    let [zone, moment @ ..] = *head;
    let Ok(expression) = std::str::from_utf8(expression) else { return };
    let zone = ZONES[usize::from(zone) % ZONES.len()];
    let Ok(calendar) = Calendar::parse(expression, zone) else { return };
    // From 1970 to 2100.
    let mut now = i64::try_from(u64::from_le_bytes(moment) % 4_102_444_800_000).unwrap_or_default();
    for _ in 0..4 {
        let Some(next) = calendar.next_after(Timestamp::from_millis(now)).map(|next| next.as_millis()) else {
            return;
        };
        assert!(next > now, "`{expression}` in {zone}: after {now} comes {next}");
        for between in [now + (next - now) / 2, next - 1] {
            let again = calendar.next_after(Timestamp::from_millis(between)).map(|next| next.as_millis());
            assert_eq!(again, Some(next), "`{expression}` in {zone}: {now}, then {between}");
        }
        now = next;
    }
}
