//! A wall clock that is set back while an incident is open.

use super::*;

#[test]
fn a_clock_that_is_set_back_an_hour_neither_hides_nor_makes_an_outage() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(4000, 4300, |_, _| None);
    drive.run(400, 1000, globex(700, 1000));
    assert_eq!(drive.opened(), 1);
    let incident = drive.incident();
    assert!(incident.opened.since(at(700.0)) <= Duration::from_secs(20), "{incident:?}");
    assert!(incident.since >= at(700.0), "people are shown the clock as it goes now");
}

#[test]
fn what_spreads_is_seen_also_when_the_clock_was_set_back_an_hour_in_mid_incident() {
    let hit = |probe: &Probe, name: &str| probe.labels.values().any(|value| value.as_str() == name);
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(3700, 4100, |probe, _| hit(probe, "globex").then_some(LOST));
    drive.run(500, 1000, |probe, _| (hit(probe, "globex") || hit(probe, "acme")).then_some(LOST));
    assert_eq!(drive.opened(), 1);
    let values = drive.incident().finding.factor.unwrap().values;
    assert!(values.contains(&"acme".into()), "{values:?}");
}

#[test]
fn what_came_back_and_still_fails_is_counted_also_when_the_clock_is_set_back_an_hour() {
    let mut config = Arc::unwrap_or_clone(forge(default_rules(), None));
    config.reopen_within = Duration::from_secs(900);
    let mut drive = Drive::new(&Arc::new(config));
    drive.run(3_600, 4_800, |probe, now| {
        globex(3_700, 3_900)(probe, now).or_else(|| globex(4_400, 9_000)(probe, now))
    });
    let before = drive.incident();
    assert_eq!((before.flaps, before.is_open()), (1, true));
    drive.run(1_200, 2_000, globex(0, 9_000));
    let after = drive.engine.cases.today(before.id, &drive.engine.detector).unwrap();
    let bad = |incident: &Incident| incident.finding.parts.iter().map(|part| part.bad).sum::<u32>();
    assert!(after.is_open() && bad(&after) >= bad(&before) + 100, "{} and then {}", bad(&before), bad(&after));
}

/// Globex fails for 400 s, the clock is set back an hour, it fails for 200 s more, and is well.
fn set_back_in_mid_incident(remind: Option<Duration>) -> Drive {
    let mut drive = Drive::new(&forge(default_rules(), remind));
    drive.run(3600, 3700, |_, _| None);
    drive.run(3700, 4100, globex(3700, 4100));
    drive.run(500, 1000, globex(500, 700));
    drive
}

#[test]
fn what_is_told_of_how_long_an_incident_lasted_does_not_count_the_hour_that_the_clock_was_set_back() {
    let drive = set_back_in_mid_incident(None);
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Resolved]);
    let incident = drive.incident();
    let lasted = incident.resolved.unwrap().since(incident.since).as_secs();
    assert!(
        (600..=600 + 200).contains(&lasted),
        "{lasted} s: 400 before, 200 after, and until it was known to be well"
    );
    let over = &drive.owed()[1].message;
    assert!(
        over.title().contains("RESOLVED after 12m") || over.title().contains("RESOLVED after 13m"),
        "{}",
        over.title()
    );
    let noted =
        drive.events().iter().filter(|event| matches!(event.change, IncidentChange::ClockSetBack { .. })).count();
    assert_eq!(noted, 1, "the timeline says why its times go back");
}

#[test]
fn reminders_keep_their_pace_when_the_clock_is_set_back_an_hour() {
    let mut drive = Drive::new(&forge(default_rules(), Some(Duration::from_secs(300))));
    drive.run(3600, 3700, |_, _| None);
    drive.run(3700, 4300, globex(3700, 4300));
    drive.run(700, 1400, globex(700, 1400));
    let reminders = drive.kinds().iter().filter(|kind| **kind == NotificationKind::Reminder).count();
    assert_eq!(reminders, 4, "one each 5 min of the 21 min that it lasts: {:?}", drive.kinds());
}

#[test]
fn a_clock_that_is_set_back_while_tripline_is_down_is_noticed_at_the_start() {
    let mut drive = Drive::new(&forge(default_rules(), Some(Duration::from_secs(300))));
    drive.run(3600, 3700, |_, _| None);
    drive.run(3700, 4000, globex(3700, 4000));
    drive.restart(400);
    drive.run(400, 1000, globex(400, 600));
    assert_eq!(drive.opened(), 1);
    let incident = drive.incident();
    let lasted = incident.resolved.unwrap().since(incident.since).as_secs();
    assert!((500..=700).contains(&lasted), "{lasted}");
    assert!(drive.kinds().contains(&NotificationKind::Reminder), "{:?}", drive.kinds());
}

#[test]
fn an_incident_taken_up_after_the_clock_was_set_back_goes_on_as_without_a_restart() {
    let ends = [false, true].map(|restarts| {
        let mut drive = Drive::new(&forge(default_rules(), None));
        drive.run(3600, 3700, |_, _| None);
        drive.run(3700, 4100, globex(3700, 4100));
        drive.run(500, 600, globex(500, 700));
        if restarts {
            drive.restart(600);
        }
        drive.run(600, 1000, globex(500, 700));
        let incident = drive.incident();
        (drive.kinds(), incident.since, incident.resolved)
    });
    assert_eq!(ends[0], ends[1]);
}

#[test]
fn what_fails_after_the_clock_was_set_back_is_not_taken_for_an_outage_that_had_ended_before() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(3_600, 5_400, globex(3_900, 4_500));
    assert_eq!((drive.opened(), drive.incident().is_open()), (1, false));
    // Half an hour back: by the clock as it goes now, this is the time of the outage before.
    drive.run(3_900, 4_300, globex(4_000, 4_300));
    assert_eq!((drive.opened(), drive.kinds().len()), (2, 3));
}
