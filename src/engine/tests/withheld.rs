//! The record says why somebody is not notified, once for each reason.

use super::*;

fn withheld(drive: &Drive) -> Vec<(Option<&str>, &str)> {
    let each = drive.events().into_iter().filter_map(|event| match &event.change {
        IncidentChange::Withheld { receiver, reason } => Some((receiver.as_ref().map(ReceiverId::as_str), &**reason)),
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
    let last = "it was over before there was anything to tell";
    assert_eq!(withheld(&drive), [(Some("oncall"), &*first), (Some("oncall"), last)]);
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
    assert_eq!(withheld(&drive), [(Some("oncall"), "it is not in the configuration any more")]);
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
    assert_eq!(reason, "it now also hits workspace=acme, and the last message is not 5m old");
    assert_eq!(drive.kinds(), [NotificationKind::Opened, NotificationKind::Worsened]);
}
