//! Codes are promises, and every event comes back as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::code::{outcome_code, outcome_of_code};
use super::*;
use crate::model::*;
use crate::model::{Example, Marks};

#[test]
fn the_code_of_an_outcome_is_what_it_always_was() {
    let codes: Vec<_> = [Outcome::Success]
        .into_iter()
        .chain(FailureClass::ALL.map(Outcome::Failure))
        .chain(VoidReason::ALL.map(Outcome::Void))
        .map(|outcome| (outcome_code(outcome), outcome.as_str()))
        .collect();
    let promised = [
        (0, "success"),
        (1, "not_found"),
        (2, "unauthorized"),
        (3, "forbidden"),
        (4, "rate_limited"),
        (5, "client_error"),
        (6, "server_error"),
        (7, "redirect"),
        (8, "dns"),
        (9, "connect"),
        (10, "tls"),
        (11, "timeout"),
        (12, "protocol"),
        (13, "corrupt"),
        (14, "expectation"),
        (15, "missing"),
        (129, "overrun"),
        (130, "shutting_down"),
        (131, "offline"),
        (132, "internal"),
    ];
    assert_eq!(codes, promised);
}

#[test]
fn a_check_that_was_made_again_is_192_more_than_its_failure() {
    let result = |outcome, superseded| CheckResult {
        superseded,
        ..CheckResult {
            outcome,
            ..CheckResult::void("p".into(), Location::local(), Timestamp::default(), VoidReason::Internal)
        }
    };
    for class in FailureClass::ALL {
        let outcome = Outcome::Failure(class);
        let code = result_code(&result(outcome, true));
        assert_eq!(code, 192 + outcome_code(outcome));
        assert_eq!(result_of_code(code).unwrap(), (outcome, true));
        assert_eq!(result_of_code(outcome_code(outcome)).unwrap(), (outcome, false));
    }
    assert_eq!((-10..400).filter(|code| result_of_code(*code).is_ok()).count(), 20 + 15);
}

#[test]
fn the_codes_of_the_other_sets_are_what_they_always_were() {
    assert_eq!(Severity::ALL.map(severity_code), [1, 2, 3]);
    assert_eq!(IncidentState::ALL.map(state_code), [0, 1, 2, 3]);
    assert_eq!(NotificationKind::ALL.map(kind_code), [1, 2, 3, 4, 5, 6]);
    let actions =
        [ActionKind::Acknowledge, ActionKind::Note, ActionKind::Resolve, ActionKind::Identify, ActionKind::Watch];
    assert_eq!(actions.map(action_code), [1, 2, 3, 4, 5]);
    assert_eq!([ActionKind::Merge, ActionKind::Split, ActionKind::FalseAlarm].map(action_code), [6, 7, 8]);
}

#[test]
fn every_code_leads_back_to_its_value_and_all_others_are_errors() {
    for code in -10..300 {
        match outcome_of_code(code) {
            Ok(outcome) => assert_eq!(outcome_code(outcome), code),
            Err(error) => assert!(error.to_string().contains(&format!("its code is {code}")), "{error}"),
        }
    }
    assert_eq!((-10..300).filter(|code| outcome_of_code(*code).is_ok()).count(), 20);
    assert_eq!((-10..300).filter_map(|code| severity_of_code(code).ok()).collect::<Vec<_>>(), Severity::ALL);
    assert_eq!((-10..300).filter_map(|code| state_of_code(code).ok()).collect::<Vec<_>>(), IncidentState::ALL);
    assert_eq!((-10..300).filter_map(|code| kind_of_code(code).ok()).collect::<Vec<_>>(), NotificationKind::ALL);
    assert_eq!((-10..300).filter_map(|code| action_of_code(code).ok()).count(), 8);
}

#[test]
fn an_event_is_written_as_it_always_was() {
    let change = IncidentChange::Told {
        notification: NotificationId::from_bytes([7; 16]),
        receiver: "oncall".into(),
        kind: NotificationKind::Opened,
        reason: "rule not-found-spike tells oncall".into(),
        named: None,
    };
    let incident = IncidentId::from_bytes([1; 16]);
    let row = EventRow::of(&IncidentEvent { incident, seq: 1, at: Timestamp::default(), change }).unwrap();
    assert_eq!(row.kind, "told");
    let body: serde_json::Value = serde_json::from_str(&row.body).unwrap();
    let promised = serde_json::json!({
        "kind": "opened",
        "notification": "07070707-0707-0707-0707-070707070707",
        "reason": "rule not-found-spike tells oncall",
        "receiver": "oncall",
    });
    assert_eq!(body, promised);
}

#[test]
fn events_of_before_ended_because_it_was_over_and_their_rules_meanings_are_not_known() {
    let row = |kind: &str, body: &serde_json::Value| EventRow { kind: kind.into(), body: body.to_string() };
    let event = |row: EventRow| row.event(IncidentId::from_bytes([1; 16]), 1, Timestamp::default()).unwrap().change;
    let finding = serde_json::json!({
        "bad": 3, "looked": 9, "factor": null, "failure": null, "status": null, "components": [], "example": null,
    });
    let resolved = serde_json::json!({ "by": null, "reason": "well", "finding": finding });
    assert!(matches!(event(row("resolved", &resolved)), IncidentChange::Resolved { unwatched: false, .. }));
    let breach = serde_json::json!({
        "id": "07070707-0707-0707-0707-070707070707", "rule": "spike", "labels": {}, "probe": null,
        "severity": "major", "since": 0, "found": 1, "reason": "12 of 12", "components": [], "cohorts": [],
        "classes": [], "cleared": null,
    });
    let joined = event(row("joined", &serde_json::json!({ "breach": breach, "reason": "shares component api" })));
    let IncidentChange::Joined { breach, .. } = joined else { panic!("{joined:?}") };
    assert_eq!(breach.meaning, None);
    let renamed = IncidentChange::Renamed { what: IdOf::Probe, from: "till".into(), to: "checkout".into() };
    let event = IncidentEvent {
        incident: IncidentId::from_bytes([1; 16]),
        seq: 2,
        at: Timestamp::default(),
        change: renamed,
    };
    let row = EventRow::of(&event).unwrap();
    let body: serde_json::Value = serde_json::from_str(&row.body).unwrap();
    let promised = serde_json::json!({ "what": "probe", "from": "till", "to": "checkout" });
    assert_eq!((row.kind.as_str(), body), ("renamed", promised));
}

fn at() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn class() -> impl Strategy<Value = FailureClass> {
    prop::sample::select(FailureClass::ALL.to_vec())
}

fn labels() -> impl Strategy<Value = BTreeMap<LabelName, LabelValue>> {
    btree_map(".{0,6}".prop_map(LabelName::from), ".{0,6}".prop_map(LabelValue::from), 0..3)
}

fn components() -> impl Strategy<Value = BTreeSet<ComponentId>> {
    btree_set(".{0,6}".prop_map(ComponentId::from), 0..3)
}

fn breach() -> impl Strategy<Value = Breach> {
    let slice =
        (labels(), option::of(".*".prop_map(ProbeId::from))).prop_map(|(labels, probe)| Slice { labels, probe });
    let marks = (components(), labels(), btree_set(class(), 0..4)).prop_map(|(components, cohorts, classes)| Marks {
        components,
        cohorts: cohorts.into_iter().collect(),
        classes,
    });
    let severity = prop::sample::select(Severity::ALL.to_vec());
    let usual = option::of((0..=1_000_000_u32).prop_map(Ratio::from_ppm));
    let usual = (usual, any::<Option<u64>>());
    (any::<[u8; 16]>(), ".*", slice, severity, at(), at(), ".*", marks, usual, option::of(at())).prop_map(
        |(id, rule, slice, severity, since, found, reason, marks, (usual, meaning), cleared)| Breach {
            id: BreachId::from_bytes(id),
            rule: rule.into(),
            slice,
            severity,
            since,
            found,
            reason,
            marks,
            usual,
            meaning,
            cleared,
        },
    )
}

fn finding() -> impl Strategy<Value = Finding> {
    let values = btree_set(".{0,6}".prop_map(LabelValue::from), 0..3);
    let and = proptest::option::of((".*", ".*"));
    let factor = (".*", values, and, any::<[u32; 4]>()).prop_map(|(label, values, and, counts)| Factor {
        and: and.map(|(label, value): (String, String)| (label.as_str().into(), value.as_str().into())),
        label: label.into(),
        values,
        bad: counts[0],
        looked: counts[1],
        bad_elsewhere: counts[2],
        looked_elsewhere: counts[3],
    });
    let example = (".*", at(), ".*", ".*").prop_map(|(probe, at, request, fault)| Example {
        probe: probe.into(),
        at,
        request,
        fault,
    });
    let unseen = (any::<i64>(), any::<Option<i64>>(), any::<[u32; 3]>()).prop_map(
        |(since, until, [checks, hosts, canaries])| Unseen {
            since: Timestamp::from_millis(since),
            until: until.map(Timestamp::from_millis),
            checks,
            hosts,
            canaries,
        },
    );
    (
        any::<[u32; 2]>(),
        option::of(factor),
        option::of(class()),
        any::<Option<u16>>(),
        components(),
        option::of(example),
        option::of(unseen),
        (vec(part(), 0..3), vec(part(), 0..3)),
    )
        .prop_map(|([bad, looked], factor, failure, status, components, example, unseen, parts)| Finding {
            bad,
            looked,
            factor,
            failure,
            status,
            components,
            example,
            unseen,
            what: None,
            parts: parts.0,
            earlier: parts.1,
        })
}

fn part() -> impl Strategy<Value = Part> {
    (".*", any::<[u32; 2]>(), at(), at(), any::<bool>()).prop_map(|(component, [bad, looked], first, last, fails)| {
        Part { component: component.into(), bad, looked, first, last, fails }
    })
}

fn apart() -> impl Strategy<Value = Apart> {
    (components(), btree_set(".{0,6}".prop_map(RuleId::from), 0..3))
        .prop_map(|(components, rules)| Apart { components, rules })
}

fn correction() -> impl Strategy<Value = IncidentChange> {
    let id = || any::<[u8; 16]>().prop_map(IncidentId::from_bytes);
    let breach_id = any::<[u8; 16]>().prop_map(BreachId::from_bytes);
    let severity = prop::sample::select(Severity::ALL.to_vec());
    let kind = prop::sample::select(NotificationKind::ALL.to_vec());
    let named = vec(finding().prop_map(|finding| Named::of(&finding)), 0..3);
    let heard = (at(), kind, severity.clone(), named).prop_map(|(at, kind, severity, named)| Heard {
        at,
        kind,
        severity,
        named,
    });
    let told = btree_map(".{0,6}".prop_map(ReceiverId::from), heard, 0..3);
    let know = btree_set(".{0,6}".prop_map(ReceiverId::from), 0..3);
    prop_oneof![
        (id(), ".*", severity, vec(breach(), 0..3), 0..3_usize, finding(), (told, know), ".*", ".*").prop_map(
            |(other, what, severity, breaches, stretch, finding, (told, know), by, why)| IncidentChange::Merged {
                other,
                what,
                severity,
                breaches: breaches.into_iter().map(Arc::new).collect(),
                stretch,
                finding,
                told,
                know,
                by,
                why
            }
        ),
        (id(), ".*", ".*").prop_map(|(into, by, why)| IncidentChange::MergedInto { into, by, why }),
        (id(), vec(breach_id, 0..3), apart(), finding(), ".*", ".*").prop_map(
            |(other, breaches, theirs, finding, by, why)| IncidentChange::Split {
                other,
                breaches,
                theirs,
                finding,
                by,
                why
            }
        ),
        (id(), apart(), ".*", ".*").prop_map(|(other, theirs, by, why)| IncidentChange::SplitFrom {
            other,
            theirs,
            by,
            why
        }),
        (".*", ".*").prop_map(|(by, why)| IncidentChange::FalseAlarm { by, why }),
    ]
}

fn change() -> impl Strategy<Value = IncidentChange> {
    prop_oneof![
        5 => plain_change(),
        2 => correction(),
    ]
}

fn plain_change() -> impl Strategy<Value = IncidentChange> {
    prop_oneof![
        (breach(), finding()).prop_map(|(breach, finding)| IncidentChange::Opened { breach, finding }),
        (breach(), ".*").prop_map(|(breach, reason)| IncidentChange::Joined { breach, reason }),
        (breach(), ".*").prop_map(|(breach, reason)| IncidentChange::Reopened { breach, reason }),
        (any::<i64>(), ".*")
            .prop_map(|(until, reason)| IncidentChange::Watched { until: Timestamp::from_millis(until), reason }),
        ".*".prop_map(|reason| IncidentChange::Raised { severity: Severity::Critical, reason }),
        (any::<[u8; 16]>(), ".*")
            .prop_map(|(id, reason)| IncidentChange::Cleared { breach: BreachId::from_bytes(id), reason }),
        (finding(), ".*", any::<bool>()).prop_map(|(finding, reason, worse)| IncidentChange::Assessed {
            finding,
            reason,
            worse
        }),
        (any::<[u8; 16]>(), ".*")
            .prop_map(|(other, what)| IncidentChange::SeeAlso { other: IncidentId::from_bytes(other), what }),
        (any::<[u8; 16]>(), ".*", ".*", ".*").prop_map(|(id, receiver, address, why)| IncidentChange::Undelivered {
            notification: NotificationId::from_bytes(id),
            receiver: receiver.into(),
            address,
            why,
        }),
        any::<u32>().prop_map(|ms| IncidentChange::ClockSetBack { by: Duration::from_millis(ms.into()) }),
        ".*".prop_map(|by| IncidentChange::Acknowledged { by }),
        (".*", ".*").prop_map(|(by, text)| IncidentChange::Noted { by, text }),
        (".*", ".*").prop_map(|(by, cause)| IncidentChange::Identified { by, cause }),
        (".*", ".*").prop_map(|(by, text)| IncidentChange::Mended { by, text }),
        (option::of(".*"), ".*", finding(), any::<bool>())
            .prop_map(|(by, reason, finding, unwatched)| IncidentChange::Resolved { by, reason, finding, unwatched }),
        (prop::sample::select(IdOf::ALL.to_vec()), ".*", ".*").prop_map(|(what, from, to)| IncidentChange::Renamed {
            what,
            from,
            to
        }),
        (
            any::<[u8; 16]>(),
            ".*",
            prop::sample::select(NotificationKind::ALL.to_vec()),
            ".*",
            option::of((finding(), any::<bool>())),
        )
            .prop_map(|(id, receiver, kind, reason, named)| IncidentChange::Told {
                notification: NotificationId::from_bytes(id),
                receiver: receiver.into(),
                kind,
                reason,
                named: named.map(|(finding, everywhere)| Named { everywhere, ..Named::of(&finding) }),
            }),
    ]
}

proptest! {
    #[test]
    fn every_event_comes_back_as_it_was(id in any::<[u8; 16]>(), seq in any::<u32>(), at in at(), change in change()) {
        let event = IncidentEvent { incident: IncidentId::from_bytes(id), seq, at, change };
        let row = EventRow::of(&event).unwrap();
        prop_assert_eq!(row.event(event.incident, seq, at).unwrap(), event);
    }

    #[test]
    fn every_finding_comes_back_as_it_was(finding in finding()) {
        let json = finding_json(&finding).unwrap();
        prop_assert_eq!(finding_of_json(&json).unwrap(), finding);
    }

    #[test]
    fn no_json_makes_reading_panic(kind in "[a-z]{0,8}", body in ".*") {
        let _ = EventRow { kind, body }.event(IncidentId::from_bytes([0; 16]), 0, Timestamp::default());
    }
}
