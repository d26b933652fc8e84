//! `tripline incident merge`, `split` and `false-alarm`: what people correct.

use super::incidents::{incidents, watching_globex};
use super::*;
use tripline::incident::lifecycle;
use tripline::model::{Breach, BreachId, Incident, Marks, Slice};

fn act(path: &Path, arguments: &[&str], code: i32) -> crate::terminal::Ended {
    tripline(path, &[&["incident"], arguments].concat()).with(code)
}

async fn store(path: &Path, incident: Incident, events: Vec<IncidentEvent>) {
    let writer = Writer::open(&path.join("tripline.db")).unwrap();
    let commit = Commit { incidents: vec![incident], events, ..Commit::default() };
    writer.commit(Arc::new(commit)).await.unwrap();
    writer.close().await.unwrap();
}

fn after(incident: &mut Incident, seconds: i64, change: IncidentChange) -> IncidentEvent {
    let at = tripline::model::Timestamp::from_millis(incident.opened.as_millis() + seconds * 1_000);
    let event = IncidentEvent { incident: incident.id, seq: incident.next_event, at, change };
    lifecycle::apply(incident, &event);
    event
}

#[tokio::test]
async fn two_incidents_are_merged_by_the_running_daemon_and_what_cannot_be_is_answered() {
    let folder = watching_globex();
    let path = folder.path();
    let ids = incidents(path, &["one", "two"]).await;
    let [one, two] = [ids[0].short(), ids[1].short()];
    let itself = act(path, &["merge", &one, &one], 2);
    assert!(itself.err.contains(&format!("incident {one} cannot be merged into itself")), "{itself:?}");
    let unknown = act(path, &["merge", &one, "nonesuch"], 2);
    assert!(unknown.err.contains("no incident's id begins with `nonesuch`"), "{unknown:?}");
    let waits = act(path, &["merge", &one, &two, "--why", "one flag service"], 0);
    assert!(waits.out.contains("stored for the daemon"), "{waits:?}");

    let mut daemon = Process::daemon(path, &[], &[]);
    let shown = || act(path, &["show", &two], 0).out;
    daemon.until("it is merged", |_| shown().contains("State     resolved"));
    let merged = format!("merged into incident {one} by ada: one flag service");
    assert!(shown().contains(&merged) && shown().contains(&format!("Merged    into incident {one}")), "{}", shown());
    let listed = act(path, &["list", "--all"], 0).out;
    assert!(listed.contains(&format!("MERGED into {one}: ")), "{listed}");
    let again = act(path, &["merge", &two, &one], 1);
    assert!(again.err.contains("was resolved at"), "{again:?}");
    let twice = act(path, &["merge", &one, &two], 0);
    assert!(twice.out.contains("already"), "{twice:?}");
}

#[tokio::test]
async fn the_breaches_of_a_rule_are_split_off_by_the_running_daemon_and_what_cannot_be_is_answered() {
    let folder = watching_globex();
    let path = folder.path();
    let config = std::fs::read_to_string(path.join("probes.yaml")).unwrap();
    std::fs::write(path.join("probes.yaml"), config.replace("rules: {", "rules: {down: {consecutive: 3}, ")).unwrap();
    let (mut incident, event) = incident("one");
    let down = Breach {
        id: BreachId::derived(&["down"]),
        rule: "down".into(),
        slice: Slice { probe: Some("home[workspace=globex]".into()), ..Slice::default() },
        marks: Marks { components: ["web".into()].into(), ..Marks::default() },
        ..incident.breaches[0].as_ref().clone()
    };
    let joined = after(&mut incident, 1, IncidentChange::Joined { breach: down, reason: "a test".into() });
    let short = incident.id.short();
    store(path, incident, vec![event, joined]).await;
    let _daemon = Process::daemon(path, &[], &[]);
    for (parts, said) in [
        (&["dwon"][..], "`dwon` is neither a component nor a rule of the configuration"),
        (&["down", "not-found-spike"], "all breaches of incident"),
    ] {
        let ended = act(path, &[&["split", &short], parts].concat(), 0);
        assert!(ended.out.contains(said), "{ended:?}");
    }
    act(path, &["split", &short], 2);
    let split = act(path, &["split", &short, "down", "--why", "another cause"], 0).out;
    let start = format!("down is split from incident {short}, as incident ");
    let other = split.strip_prefix(&start).unwrap().trim().to_owned();
    let shown = act(path, &["show", &other], 0).out;
    for part in ["opened: rule down", &format!("split from incident {short} by ada: another cause"), "see also"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(act(path, &["show", &short], 0).out.contains(&format!("see also incident {other}")));
}

#[tokio::test]
async fn false_alarms_are_marked_also_after_days_and_three_of_one_rule_bring_advice() {
    let folder = watching_globex();
    let path = folder.path();
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        let (_, mut opened) = incident(name);
        opened.at = clock::now() - std::time::Duration::from_secs(3 * 86_400);
        let mut incident = lifecycle::fold(std::slice::from_ref(&opened)).unwrap();
        let finding = incident.finding.clone();
        let over = IncidentChange::Resolved { by: None, reason: "well".into(), finding, unwatched: false };
        let over = after(&mut incident, 60, over);
        ids.push(incident.id.short());
        store(path, incident, vec![opened, over]).await;
    }
    act(path, &["false-alarm", &ids[0]], 2);
    let _daemon = Process::daemon(path, &[], &[]);
    let said = |id: &str| act(path, &["false-alarm", id, "--why", "the probe's token had expired"], 0).out;
    for id in &ids[..2] {
        assert_eq!(said(id), format!("incident {id} is a false alarm, says ada\n"));
    }
    let third = said(&ids[2]);
    assert!(third.contains("Rule not-found-spike gave 3 false alarms within 30d."), "{third}");
    assert!(third.contains("more patience: a longer `within`, or a higher `above` or `at_least`"), "{third}");
    assert!(said(&ids[2]).contains("is a false alarm already, says ada"));
    let listed = act(path, &["list", "--all"], 0).out;
    assert_eq!(listed.matches("FALSE ALARM, says ada: ").count(), 3, "{listed}");
    let shown = act(path, &["show", &ids[0]], 0).out;
    assert!(shown.contains("a false alarm, says ada: the probe's token had expired"), "{shown}");
    let review = tripline(path, &["postmortem", &ids[0]]).with(0).out;
    let first = review.lines().next().unwrap();
    assert!(first.contains("A false alarm, says ada: the probe's token had expired"), "{first}");
}

#[tokio::test]
async fn monitor_is_the_word_and_watch_is_still_understood() {
    let folder = watching_globex();
    let path = folder.path();
    let id = incidents(path, &["one"]).await[0].short();
    let _daemon = Process::daemon(path, &[], &[]);
    for word in ["monitor", "watch"] {
        assert_eq!(act(path, &[word, &id, "rolled back"], 0).out, format!("incident {id} is monitored\n"));
    }
    assert!(act(path, &["show", &id], 0).out.contains("State     monitoring"));
}
