//! Outages and maintenance windows: what waits, what does not, and what is recorded all the same.

use super::*;

/// The forge with planned work from 5 to 30 minutes after the start, on these components and probes.
fn working_on(components: &[&str], probes: &[&str], remind: Option<Duration>) -> Arc<Config> {
    let over = Scope {
        components: components.iter().map(|id| (*id).into()).collect(),
        probes: probes.iter().map(|id| (*id).into()).collect(),
        ..Scope::default()
    };
    let when = Windows::Once(Window { from: at(300.0), until: at(1_800.0) });
    let mut config = (*forge(default_rules(), remind)).clone();
    config.maintenance = vec![Maintenance { id: "upgrade".into(), over, when }];
    Arc::new(config)
}

fn down(components: &'static [&'static str], from: u32, until: u32) -> impl Fn(&Probe, u32) -> Option<Outcome> {
    move |probe, now| (components.contains(&probe.component.as_str()) && (from..until).contains(&now)).then_some(LOST)
}

#[test]
fn an_outage_of_what_is_worked_on_that_is_over_in_time_is_recorded_and_nobody_is_told() {
    let mut drive = Drive::new(&working_on(&["api"], &[], None));
    drive.run(0, 3_600, down(&["api"], 600, 1_200));
    assert_eq!((drive.opened(), drive.incident().is_open()), (1, false));
    assert_eq!(drive.kinds(), []);
    assert_eq!(drive.incident().finding.components.len(), 1);
}

#[test]
fn an_outage_that_outlives_the_window_is_told_at_its_end_with_the_reason() {
    let mut drive = Drive::new(&working_on(&["api"], &[], None));
    drive.run(0, 3_600, down(&["api"], 600, 2_400));
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Resolved]);
    let told = drive.owed()[0];
    assert_eq!(told.owed, at(1_800.0));
    assert_eq!(
        told.reason,
        "it began during maintenance `upgrade`, which is over, and goes on: rule not-found-spike was breached, and notifies \
         oncall"
    );
    assert!(told.message.text().contains("it began during maintenance `upgrade`"), "{}", told.message.text());
}

#[test]
fn what_hits_more_than_is_worked_on_is_told_at_once() {
    let mut drive = Drive::new(&working_on(&["api"], &[], None));
    drive.run(0, 1_200, down(&["api", "website"], 600, 1_200));
    assert_eq!(drive.kinds()[0], NotificationKind::Opened);
    assert!(drive.owed()[0].owed < at(630.0), "{:?}", drive.owed()[0].owed);
}

#[test]
fn an_outage_that_grows_beyond_the_work_is_told_when_it_does() {
    let mut drive = Drive::new(&working_on(&["api"], &[], None));
    drive.run(0, 1_500, |probe, now| {
        down(&["api"], 600, 1_500)(probe, now).or_else(|| down(&["git-https"], 1_000, 1_500)(probe, now))
    });
    let told = drive.owed()[0];
    assert!(told.owed > at(1_000.0) && told.owed < at(1_060.0), "{:?}", told.owed);
}

#[test]
fn work_on_one_probe_is_no_excuse_for_another_of_the_same_component() {
    let mut config = (*working_on(&[], &["search"], None)).clone();
    config.probes.extend(["acme", "globex"].map(|workspace| probe("search", "api", workspace)));
    let config = Arc::new(config);
    let search = |probe: &Probe, now: u32| (probe.name.as_str() == "search" && now >= 600).then_some(LOST);

    let mut drive = Drive::new(&config);
    drive.run(0, 1_500, search);
    assert_eq!((drive.opened(), drive.kinds()), (1, vec![]));

    let mut drive = Drive::new(&config);
    drive.run(0, 1_500, |probe, now| search(probe, now).or_else(|| down(&["api"], 1_000, 1_500)(probe, now)));
    let told = drive.owed()[0];
    assert!(told.owed > at(1_000.0) && told.owed < at(1_060.0), "{:?}", told.owed);
}

#[test]
fn of_what_was_told_before_the_window_the_end_is_told_at_once_and_reminders_wait() {
    let mut drive = Drive::new(&working_on(&["api"], &[], Some(Duration::from_secs(600))));
    drive.run(0, 2_400, down(&["api"], 100, 1_500));
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Resolved]);
    assert!(drive.owed()[0].owed < at(130.0) && drive.owed()[1].owed < at(1_800.0), "{:?}", drive.owed()[1].owed);

    let mut drive = Drive::new(&working_on(&["api"], &[], Some(Duration::from_secs(600))));
    drive.run(0, 2_000, down(&["api"], 100, 2_400));
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Reminder]);
    assert_eq!(drive.owed()[1].owed, at(1_800.0));
}

#[test]
fn a_restart_in_the_window_tells_nothing_early_and_nothing_twice() {
    let config = working_on(&["api"], &[], None);
    let mut whole = Drive::new(&config);
    whole.run(0, 3_600, down(&["api"], 600, 2_400));
    let mut restarted = Drive::new(&config);
    restarted.run(0, 900, down(&["api"], 600, 2_400));
    restarted.restart(900);
    assert_eq!(restarted.kinds(), []);
    restarted.run(900, 3_600, down(&["api"], 600, 2_400));
    let told = |drive: &Drive| drive.owed().iter().map(|owed| (owed.kind, owed.reason.clone())).collect::<Vec<_>>();
    assert_eq!(told(&restarted), told(&whole));
}

#[test]
fn two_windows_that_together_cover_an_outage_hold_it_until_the_first_is_over() {
    let mut config = (*working_on(&["api"], &[], None)).clone();
    let over = Scope { components: ["website".into()].into(), ..Scope::default() };
    let when = Windows::Once(Window { from: at(0.0), until: at(1_200.0) });
    config.maintenance.push(Maintenance { id: "paint".into(), over, when });
    let mut drive = Drive::new(&Arc::new(config));
    drive.run(0, 1_500, down(&["api", "website"], 600, 1_500));
    assert_eq!(drive.owed()[0].owed, at(1_200.0));
    assert!(
        drive.owed()[0].reason.starts_with("it began during maintenance `upgrade` and `paint`"),
        "{}",
        drive.owed()[0].reason
    );
}
