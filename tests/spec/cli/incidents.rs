//! `tripline incident`: seeing incidents, and acting on them.

use super::*;

/// A database with these incidents, open since just now.
pub(super) async fn incidents(folder: &Path, names: &[&str]) -> Vec<IncidentId> {
    let writer = Writer::open(&folder.join("tripline.db")).unwrap();
    for name in names {
        let commit = opening(name, "oncall", &[address(None, "oncall@example.com")], clock::now());
        writer.commit(Arc::new(commit)).await.unwrap();
    }
    writer.close().await.unwrap();
    names.iter().map(|name| IncidentId::derived(&[name])).collect()
}

/// A config whose rule judges the breach of those incidents, so that a daemon goes on with them.
pub(super) fn watching_globex() -> TempDir {
    let rule = "cohorts: {workspace: [globex]}\n\
                rules: {not-found-spike: {above: 5%, within: 2m, at_least: 3, per: [workspace]}}\n";
    let probe = WELL.replace("component: web,", "component: web, for_each: [workspace],");
    folder(format!("{probe}{rule}"))
}

#[test]
fn incidents_without_a_database_are_refused_with_the_way_to_get_one() {
    let folder = folder(WELL);
    std::fs::write(folder.path().join("empty.db"), "").unwrap();
    std::fs::write(folder.path().join("note.txt"), "This is a letter to my aunt. ".repeat(20)).unwrap();
    for command in [&["incident", "list"][..], &["incident", "show", "ab"], &["incident", "ack", "ab"]] {
        let ended = tripline(folder.path(), command).with(2);
        assert!(ended.err.contains("tripline.db: there is no such database; `tripline run` creates it"), "{ended:?}");
        let ended = tripline(folder.path(), &[command, &["--db", "empty.db"]].concat()).with(2);
        assert!(ended.err.contains("empty.db: this file is empty"), "{ended:?}");
        let ended = tripline(folder.path(), &[command, &["--db", "note.txt"]].concat()).with(2);
        assert!(ended.err.contains("note.txt: this is no SQLite database"), "{ended:?}");
    }
    assert!(!folder.path().join("tripline.db").exists(), "asking makes no database");
}

#[tokio::test]
async fn incidents_are_listed_and_shown_with_the_config_or_without() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    drop(incidents(path, &[]).await);
    assert_eq!(tripline(path, &["incident", "list"]).with(0).out, "No incident is open.\n");
    assert_eq!(tripline(path, &["incident", "list", "--all"]).with(0).out, "There was no incident yet.\n");

    let id = incidents(path, &["one"]).await[0];
    let listed = tripline(path, &["incident", "list"]).with(0).out;
    assert!(
        listed.lines().nth(1).is_some_and(|line| line.starts_with(&id.short()))
            && listed.contains("investigating")
            && listed.contains("major"),
        "{listed}"
    );
    assert!(listed.contains("workspace=globex"), "{listed}");
    let columns: Vec<usize> = listed.lines().map(|line| line.find("WHAT").or(line.find("404")).unwrap()).collect();
    assert_eq!(columns[0], columns[1], "{listed}");

    let shown = tripline(path, &["incident", "show", &id.short()]).with(0).out;
    for part in [
        &id.to_string(),
        "workspace=globex",
        "Timeline",
        "opened: rule not-found-spike",
        "Notifications",
        "oncall@example.com: pending",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // The whole id, as another program may print it, names it as well.
    assert_eq!(tripline(path, &["incident", "show", &id.to_string().to_uppercase()]).with(0).out, shown);
}

#[tokio::test]
async fn a_delivery_that_has_failed_is_shown_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let ids: [IncidentId; 2] = incidents(path, &["gone", "given up"]).await.try_into().unwrap();
    let writer = Writer::open(&path.join("tripline.db")).unwrap();
    let reader = Reader::open(&path.join("tripline.db")).unwrap();
    let reasons = [
        (FailedBecause::Refused, "receiver `oncall` is not configured any more"),
        (FailedBecause::GivenUp, "451 try again later"),
    ];
    for (id, (because, fault)) in ids.iter().zip(reasons) {
        let delivery = reader.deliveries_of(*id).unwrap()[0].id;
        let outcome = AttemptOutcome::Failed(because, fault.into());
        writer.record_attempt(delivery, Attempt { at: clock::now(), outcome }).await.unwrap();
    }
    writer.close().await.unwrap();
    let shown = ids.map(|id| tripline(path, &["incident", "show", &id.short()]).with(0).out);
    let [gone, given_up] = shown;
    assert!(gone.contains("to oncall@example.com: FAILED\n"), "{gone}");
    assert!(gone.contains("  failed for good: receiver `oncall` is not configured any more\n"), "{gone}");
    assert!(given_up.contains("to oncall@example.com: FAILED, given up\n"), "{given_up}");
    assert!(given_up.contains("  failed, given up: 451 try again later\n"), "{given_up}");
}

#[tokio::test]
async fn an_incident_is_named_by_the_beginning_of_its_id_if_that_is_unambiguous() {
    let folder = tempfile::tempdir().unwrap();
    // Seventeen ids cannot all begin with another of the sixteen digits.
    let names: Vec<String> = (0..17).map(|number| number.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ids: Vec<String> = incidents(folder.path(), &names).await.iter().map(IncidentId::to_string).collect();
    let alike = |id: &&String| ids.iter().filter(|other| other[..1] == id[..1]).count() > 1;
    let twice = ids.iter().find(alike).unwrap();
    for command in ["show", "ack", "resolve"] {
        let ended = tripline(folder.path(), &["incident", command, &twice[..1]]).with(2);
        assert!(ended.err.contains(&format!("several incidents' ids begin with `{}`", &twice[..1])), "{ended:?}");
        assert!(ended.err.contains(twice.as_str()), "those that are meant are listed: {ended:?}");
        let ended = tripline(folder.path(), &["incident", command, "nonesuch"]).with(2);
        assert!(ended.err.contains("no incident's id begins with `nonesuch`"), "{ended:?}");
        assert!(ended.err.contains("`tripline incident list --all`"), "{ended:?}");
    }
}

#[tokio::test]
async fn without_a_daemon_an_action_waits_for_the_next_one() {
    let folder = watching_globex();
    let id = incidents(folder.path(), &["one"]).await[0].to_string();
    let ended = tripline(folder.path(), &["incident", "note", &id, "the feature flags are down"]).with(0);
    assert!(ended.out.contains("not running") && ended.out.contains("`tripline run`"), "{ended:?}");

    let mut daemon = Process::daemon(folder.path(), &[], &[]);
    daemon.until("the note is taken up", |_| {
        let shown = tripline(folder.path(), &["incident", "show", &id]).with(0).out;
        shown.contains("ada notes: the feature flags are down")
    });
}

#[tokio::test]
async fn a_running_daemon_answers_what_came_of_an_action() {
    let folder = watching_globex();
    let path = folder.path();
    let id = incidents(path, &["one"]).await[0];
    let (short, whole) = (id.short(), id.to_string());
    let _daemon = Process::daemon(path, &[], &[]);
    let act = |arguments: &[&str], code| tripline(path, &[&["incident"], arguments].concat()).with(code);
    assert_eq!(act(&["ack", &short], 0).out, format!("incident {short} is acknowledged by ada\n"));
    assert!(act(&["ack", &short], 0).out.contains("acknowledged by ada"), "a second time changes nothing");
    assert!(act(&["ack", &short, "--by", "grace"], 0).out.contains("by grace"));
    assert_eq!(act(&["note", &whole, "looking"], 0).out, format!("noted on incident {short}\n"));
    assert_eq!(act(&["resolve", &short, "--why", "mended"], 0).out, format!("incident {short} is resolved by ada\n"));
    for late in [&["resolve", &short][..], &["ack", &short], &["note", &short, "late"]] {
        let ended = act(late, 1);
        assert!(ended.err.contains(&format!("incident {short} was resolved at ")), "{ended:?}");
    }
    let shown = act(&["show", &short], 0).out;
    for part in [
        "State     resolved",
        "acknowledged by ada",
        "acknowledged by grace",
        "ada notes: looking",
        "resolved by ada: mended",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(act(&["list"], 0).out, "No incident is open.\n");
    assert!(act(&["list", "--all"], 0).out.lines().any(|line| line.starts_with(&short)));
}

#[tokio::test]
async fn a_resolved_incident_is_not_acted_on() {
    let folder = tempfile::tempdir().unwrap();
    let (mut over, event) = incident("one");
    let end = IncidentEvent {
        incident: over.id,
        seq: 1,
        at: clock::now(),
        change: IncidentChange::Resolved {
            by: None,
            reason: "well".into(),
            finding: over.finding.clone(),
            unwatched: false,
        },
    };
    tripline::incident::lifecycle::apply(&mut over, &end);
    let writer = Writer::open(&folder.path().join("tripline.db")).unwrap();
    let short = over.id.short();
    let commit = Commit { incidents: vec![over], events: vec![event, end], ..Commit::default() };
    writer.commit(Arc::new(commit)).await.unwrap();
    writer.close().await.unwrap();
    let ended = tripline(folder.path(), &["incident", "ack", &short]).with(1);
    assert!(ended.err.contains("nothing is done"), "{ended:?}");
}
