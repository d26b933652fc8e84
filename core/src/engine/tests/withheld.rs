//! The record says why somebody is not notified, once for each reason.

use super::*;

fn withheld(drive: &Drive) -> Vec<(Option<&str>, &str)> {
    let each = drive.events().into_iter().filter_map(|event| match &event.change {
        IncidentChange::Withheld { receiver, reason, .. } => {
            Some((receiver.as_ref().map(ReceiverId::as_str), &**reason))
        }
        _ => None,
    });
    each.collect()
}

#[test]
fn under_maintenance_the_reason_is_recorded_once_and_a_restart_does_not_repeat_it() {
    let mut config = Arc::unwrap_or_clone(forge(default_rules(), None));
    let when = Windows::Once(Window { from: at(300.0), until: at(1_800.0) });
    config.maintenance = vec![Maintenance { id: "upgrade".into(), over: Scope::default(), when }];
    let mut drive = Drive::new(&Arc::new(config));
    drive.run(0, 900, globex(600, 1_200));
    drive.restart(900);
    drive.run(900, 2_400, globex(600, 1_200));
    let until = at(1_800.0).show();
    let first = format!("all that it hits is under maintenance `upgrade` until {until}");
    assert_eq!(withheld(&drive), [(Some("oncall"), &*first)]);
    assert_eq!(drive.kinds(), []);
}

#[test]
fn where_nobody_can_be_notified_the_record_says_so() {
    let mut config = Arc::unwrap_or_clone(forge(default_rules(), None));
    config.receivers.clear();
    config.rules.iter_mut().for_each(|rule| rule.tell.clear());
    let mut drive = Drive::new(&Arc::new(config));
    drive.run(0, 900, globex(300, 600));
    assert_eq!(withheld(&drive), [(None, "no receivers are configured")]);
}

#[test]
fn a_receiver_that_is_gone_from_the_configuration_is_named() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(0, 400, globex(300, 900));
    let mut config = Arc::unwrap_or_clone(forge(default_rules(), None));
    let oncall = config.receivers.remove(&ReceiverId::from("oncall")).unwrap();
    config.receivers.insert("lead".into(), Receiver { id: "lead".into(), ..oncall });
    config.rules.iter_mut().for_each(|rule| rule.tell = vec!["lead".into()]);
    drive.engine = Restoring::new(Arc::new(config), drive.incidents()).settle(at(400.0));
    drive.hand(Input::Timeout, at(401.0));
    assert_eq!(withheld(&drive), [], "there is no news for it");
    drive.run(401, 1_200, globex(300, 900));
    assert_eq!(withheld(&drive), [(Some("oncall"), "it is not in the configuration any more")], "the end is news");
}

#[test]
fn a_spread_that_waits_for_its_message_is_recorded_with_what_it_is() {
    let mut drive = Drive::new(&forge(default_rules(), None));
    drive.run(0, 1_400, |probe, now| {
        let hit = |name: &str| probe.labels.values().any(|value| value.as_str() == name);
        ((hit("globex") && now >= 300) || (hit("acme") && now >= 400)).then_some(LOST)
    });
    let [(receiver, reason)] = withheld(&drive)[..] else { panic!("{:?}", withheld(&drive)) };
    assert_eq!(receiver, Some("oncall"));
    assert_eq!(reason, "it now also hits workspace=acme; what is new is gathered until 15:48:33");
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Worsened]);
}

#[test]
fn of_an_incident_that_ended_and_was_told_as_ended_nothing_is_withheld_after_a_restart() {
    let mut config = Arc::unwrap_or_clone(forge(default_rules(), None));
    config.reopen_within = Duration::from_secs(900);
    let mut drive = Drive::new(&Arc::new(config.clone()));
    drive.run(0, 900, globex(300, 600));
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Resolved]);
    let ended = drive.incident();
    config.receivers.clear();
    drive.engine = Restoring::new(Arc::new(config), drive.incidents()).settle(at(900.0));
    drive.hand(Input::Timeout, at(901.0));
    assert_eq!((withheld(&drive), drive.incident()), (vec![], ended));
}

#[test]
fn of_an_incident_that_ended_unheard_before_reasons_were_kept_nothing_is_recorded_after_its_end() {
    let mut config = Arc::unwrap_or_clone(forge(default_rules(), None));
    config.reopen_within = Duration::from_secs(900);
    let mut drive = Drive::new(&Arc::new(config.clone()));
    drive.run(0, 900, globex(300, 600));
    let mut ended = drive.incident();
    ended.told.clear();
    let mut engine = Restoring::new(Arc::new(config), vec![ended]).settle(at(900.0));
    assert_eq!(engine.poll_output(), None);
}

#[test]
fn windows_that_follow_each_other_without_end_are_one_reason_until_the_next_message() {
    let mut config = Arc::unwrap_or_clone(forge(default_rules(), None));
    let every_other = |id: &str, minutes: &str| Maintenance {
        id: id.into(),
        over: Scope::default(),
        when: Windows::At(
            Arc::new(Calendar::parse(&format!("{minutes} * * * *"), "UTC").unwrap()),
            Duration::from_secs(70),
        ),
    };
    config.maintenance = vec![every_other("m", "0-58/2"), every_other("n", "1-59/2")];
    let mut drive = Drive::new(&Arc::new(config));
    drive.run(0, 5_000, globex(600, 4_000));
    assert_eq!((withheld(&drive).len(), drive.kinds()), (1, vec![]));
}

#[test]
fn what_kept_the_news_of_an_end_back_is_recorded_anew_after_a_return() {
    let mut config = Arc::unwrap_or_clone(forge(default_rules(), None));
    config.reopen_within = Duration::from_secs(900);
    let oncall = config.receivers.remove(&ReceiverId::from("oncall")).unwrap();
    let mut drive =
        Drive::new(&Arc::new(Config { receivers: BTreeMap::from([("oncall".into(), oncall)]), ..config.clone() }));
    drive.run(0, 400, globex(300, 500));
    // The receiver is gone before the end, and before the outage comes back.
    config.rules.iter_mut().for_each(|rule| rule.tell.clear());
    drive.engine = Restoring::new(Arc::new(config), drive.incidents()).settle(at(400.0));
    drive.run(400, 2_400, |probe, now| globex(300, 500)(probe, now).or(globex(1_000, 1_200)(probe, now)));
    let gone = "it is not in the configuration any more";
    let own: Vec<_> = withheld(&drive).into_iter().filter(|(receiver, _)| *receiver == Some("oncall")).collect();
    assert_eq!(own, [(Some("oncall"), gone), (Some("oncall"), gone)], "of each of its ends");
}
