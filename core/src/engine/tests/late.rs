//! What becomes known late: after a start, a rename, or a split.

use super::corrected::{answer, config, hits, merge, opened, spikes, split, stored, wide};
use super::people::refused;
use super::renamed::{forge_that_reopens, oncall_is_called_night, rules, take_up};
use super::*;

#[test]
fn an_incident_that_was_over_at_a_start_is_merged_as_what_has_recovered() {
    let outages = |probe: &Probe, now: u32| {
        let first = hits(probe, "website", "globex") && now >= 300;
        let second = hits(probe, "api", "acme") && (330..600).contains(&now);
        first.then_some(LOST).or_else(|| second.then_some(Outcome::Failure(FailureClass::Forbidden)))
    };
    let after = |restart: Option<u32>| {
        let mut drive = Drive::new(&config(spikes()));
        drive.run(0, 900, outages);
        let [a, b] = opened(&drive)[..] else { panic!("two outages") };
        assert!(!stored(&drive, b).is_open());
        restart.into_iter().for_each(|at| drive.restart(at));
        answer(&mut drive, merge(a, b), 900.0);
        drive.run(900, 960, outages);
        let parts = drive.engine.cases.today(a, &drive.engine.detector).unwrap().finding.account();
        let shown = parts.iter().map(|part| (part.component.to_string(), part.bad, part.fails));
        shown.collect::<Vec<_>>()
    };
    assert_eq!(after(Some(900)), after(None));
    let shown = after(None);
    assert_eq!(
        shown.iter().map(|(name, _, fails)| (name.as_str(), *fails)).collect::<Vec<_>>(),
        [("website", true), ("api", false)]
    );
}

#[test]
fn what_is_split_off_was_detected_when_its_breach_was_found() {
    let mut drive = Drive::new(&config(spikes()));
    drive.run(0, 800, wide);
    let id = opened(&drive)[0];
    answer(&mut drive, split(id, &["api"]), 800.0);
    let other = stored(&drive, opened(&drive)[1]);
    assert!(other.opened == at(800.0) && other.detected() < at(360.0), "{other:?}");
}
#[test]
fn a_message_that_is_refused_after_its_receiver_was_renamed_is_known_to_the_next() {
    let config = forge_that_reopens(rules());
    let called = oncall_is_called_night(&config);
    let mut drive = Drive::new(&config);
    drive.run(0, 400, globex(300, 900));
    let opened = drive.owed()[0].clone();
    take_up(&mut drive, &called, 400);
    drive.hand(Input::Undelivered(refused(&opened)), at(400.0));
    drive.run(400, 1_500, globex(300, 900));
    let text = drive.owed().last().unwrap().message.text();
    assert!(text.contains("this is the first message that oncall@example.com can get"), "{text}");
}
