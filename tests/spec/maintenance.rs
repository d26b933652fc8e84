//! Maintenance windows as a person writes and checks them. What they do to messages stands beside the engine.

use crate::terminal::tripline;

const SHOP: &str = r#"
name: Shop
cohorts: {customer: [x, y]}
components: {web: {name: Web}, api: {name: API}}
probes:
  home: {component: web, for_each: [customer], http: {url: "http://127.0.0.1:9/{{customer}}"}}
  search: {component: api, http: {url: "http://127.0.0.1:9/search"}}
maintenance:
"#;

fn plan(windows: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("probes.yaml"), format!("{SHOP}{windows}")).unwrap();
    tripline(folder.path(), &["validate"]).with(0).out
}

#[test]
fn validate_shows_the_next_window_of_each_maintenance() {
    let out = plan(
        "  upgrade: {components: [api], cron: '0 2 29 2 *', for: 1h, timezone: Europe/Berlin}\n  \
         move: {labels: {customer: x}, from: 2099-12-01T02:00:00+01:00, until: 2099-12-01T04:30:00Z}\n  \
         past: {probes: [home], from: 2001-01-01T00:00:00Z, for: 30m}\n  \
         now: {from: 2001-01-01T00:00:00Z, until: 2199-01-01T00:00:00Z}\n",
    );
    let after = out.split("\nMaintenance, in which messages wait:\n").nth(1).unwrap_or_else(|| panic!("{out}"));
    let lines: Vec<&str> = after.lines().collect();
    // The next 29 February, whichever year that is: 02:00 in Berlin is 01:00 UTC in winter.
    assert!(lines[0].starts_with("  upgrade (api): next from 20"), "{out}");
    assert!(lines[0].contains("-02-29 01:00:00 UTC until ") && lines[0].ends_with("-02-29 02:00:00 UTC"), "{out}");
    assert_eq!(lines[1], "  move (customer=x): next from 2099-12-01 01:00:00 UTC until 2099-12-01 04:30:00 UTC");
    assert_eq!(lines[2], "  past (probe home): over; it can be removed");
    assert_eq!(lines[3], "  now (everything): OPEN NOW, from 2001-01-01 00:00:00 UTC until 2199-01-01 00:00:00 UTC");
}

#[test]
fn validate_counts_probes_on_a_calendar_by_their_mean_rate() {
    let often = SHOP.replace("http://127.0.0.1:9/search\"}}", "http://127.0.0.1:9/search\"}, cron: '*/5 * * * *'}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("probes.yaml"), often.replace("maintenance:\n", "")).unwrap();
    let out = tripline(folder.path(), &["validate"]).with(0).out;
    // Two probes each 30 s, and one each 5 minutes.
    assert!(out.contains("3 probes on 2 components, 4.2 checks a minute"), "{out}");
}
