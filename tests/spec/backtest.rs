//! Rules over stored results: what stays, what vanishes, what is new, and how soon each is noticed.

use crate::story::{CONFIG, store};
use crate::terminal::tripline;

const ALL: [&str; 3] = ["backtest", "--since", "3650d"];

#[tokio::test]
async fn the_same_rules_find_the_same_incident_and_other_rules_another_time_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let id = store(folder.path(), "").await.short();
    let out = tripline(folder.path(), &ALL).with(0).out;
    assert!(out.starts_with("Replayed 3420 results from 2025-02-11 15:31:00 UTC until"), "{out}");
    assert!(
        out.contains(&format!("SAME      {id}")) && out.contains("noticed after 20s, was 20s: as before"),
        "{out}"
    );
    assert!(out.contains("3 messages would have been owed"), "{out}");
    assert!(out.ends_with("1 the same, 0 vanished, 0 new.\n"), "{out}");

    let (head, rest) = CONFIG.split_once("\nrules:\n").unwrap();
    let receivers = rest.split_once("\nreceivers:\n").unwrap().1;
    let with = |rules: &str| {
        let text = format!("{head}\nrules:\n{rules}\nreceivers:\n{receivers}");
        std::fs::write(folder.path().join("new.yaml"), text).unwrap();
        tripline(folder.path(), &[&ALL[..], &["--config", "new.yaml"]].concat()).with(0).out
    };
    let out = with("  slow: {consecutive: 5}");
    assert!(out.contains("noticed after 1m20s, was 20s: 1m LATER"), "{out}");
    let out = with("  deaf: {above: 90%}");
    assert!(out.contains(&format!("VANISHED  {id}")) && out.ends_with("0 the same, 1 vanished, 0 new.\n"), "{out}");
}

#[tokio::test]
async fn a_rule_about_what_did_not_come_is_not_judged_by_what_came_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let id = store(folder.path(), "").await.short();
    let (head, rest) = CONFIG.split_once("\nrules:\n").unwrap();
    let receivers = rest.split_once("\nreceivers:\n").unwrap().1;
    // The rule of this name that noticed it looks for missing checks now.
    let rules = "  unusual-failures:\n    missing: 10m";
    let text = format!("{head}\nrules:\n{rules}\nreceivers:\n{receivers}");
    std::fs::write(folder.path().join("probes.yaml"), text).unwrap();
    let out = tripline(folder.path(), &ALL).with(0).out;
    let said = [&format!("  NOT JUDGED {id}"), "            what did not come leaves no result to judge by\n"];
    assert!(said.iter().all(|line| out.contains(*line)) && !out.contains("would not have noticed"), "{out}");
    assert!(out.ends_with("0 the same, 0 vanished, 0 new, 1 not judged here.\n"), "{out}");
    let json: serde_json::Value =
        serde_json::from_str(&tripline(folder.path(), &[&ALL[..], &["--json"]].concat()).with(0).out).unwrap();
    assert_eq!(json["vanished"], serde_json::json!([]));
    assert!(json["not_judged"][0]["id"].as_str().unwrap().starts_with(&id), "{json}");
    assert_eq!(json["not_judged_because"], "what did not come leaves no result to judge by");
    let out = tripline(folder.path(), &["postmortem", &id]).with(0).out;
    let row = "| unusual-failures | not judged here | what did not come leaves no result to judge by |\n";
    assert!(out.contains(row), "{out}");
}

#[tokio::test]
async fn messages_are_counted_from_the_time_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path(), "").await;
    // Ten minutes into the outage: the first mail is of the time in which the windows fill.
    let asked = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_739_289_060);
    let since = format!("{}s", asked.elapsed().unwrap().as_secs());
    let arguments = ["backtest", "--since", &since];
    let out = tripline(folder.path(), &arguments).with(0).out;
    assert!(out.contains("; 2 messages would have been owed.") && out.contains("  SAME  "), "{out}");
    let json: serde_json::Value =
        serde_json::from_str(&tripline(folder.path(), &[&arguments[..], &["--json"]].concat()).with(0).out).unwrap();
    assert_eq!(json["messages"], 2);
}

#[tokio::test]
async fn probes_that_are_gone_are_counted_and_named_and_json_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path(), "").await;
    let text = CONFIG.replace("  sign-up:\n", "  enrol:\n");
    std::fs::write(folder.path().join("new.yaml"), text).unwrap();
    let arguments = [&ALL[..], &["--config", "new.yaml"]].concat();
    let out = tripline(folder.path(), &arguments).with(0).out;
    assert!(out.contains("180 results are of probes that it does not have: sign-up\n"), "{out}");
    let json: serde_json::Value =
        serde_json::from_str(&tripline(folder.path(), &[&arguments[..], &["--json"]].concat()).with(0).out).unwrap();
    assert_eq!((&json["results"], &json["unknown_probes"]["sign-up"]), (&3420.into(), &180.into()));
    assert_eq!(json["same"][0]["was"]["title"], "404 Not Found for workspace=globex on api, git-https, website");
    tripline(tempfile::tempdir().unwrap().path(), &ALL).with(2);
    for none in ["0s", "0h0m"] {
        let ended = tripline(folder.path(), &["backtest", "--since", none]).with(2);
        assert!(ended.err.contains("no time at all"), "{}", ended.err);
    }
}
