//! What the failing checks have in common.

use super::*;

#[test]
fn the_factor_is_what_separates_the_bad_checks_and_may_be_several_customers() {
    let all_of =
        |some: &'static [&'static str]| move |_: &str, workspace: &str| 10 * usize::from(some.contains(&workspace));
    assert_eq!(separating(all_of(&["globex"])).unwrap(), "workspace=globex 20/20");
    assert_eq!(separating(all_of(&["acme", "umbrella"])).unwrap(), "workspace=acme,umbrella 40/40");
    assert_eq!(separating(all_of(&["acme", "globex", "umbrella"])).unwrap(), "workspace=acme,globex,umbrella 60/60");
    assert_eq!(separating(|component, _| 10 * usize::from(component == "api")).unwrap(), "component=api 40/40");
}

#[test]
fn stray_failures_of_many_customers_do_not_join_the_one_that_is_hit() {
    let names: Vec<String> = (0..200).map(|number| format!("w{number}")).collect();
    let probes: Vec<Probe> = names.iter().map(|name| probe(name, "api", &[("workspace", name)])).collect();
    let config = config(probes, RuleKind::ErrorRate(rate()));
    for rounds in [4, 60, 2000] {
        let mut tally = Tally::default();
        for round in 0..rounds {
            for index in 0..200 {
                // w77 fails all the time, each of the others once in 400 times.
                let bad = index == 77 || (round * 200 + index) % 401 == 5;
                let class = bad.then_some(FailureClass::NotFound);
                tally.add(&Entry {
                    at: Timestamp::from_millis(0),
                    probe: ProbeIndex::nth(index),
                    bad,
                    class,
                    status: None,
                    place: 0,
                });
            }
        }
        let factor = factor::find(&tally, &[], &Columns::new(&config)).factor.unwrap();
        assert_eq!(factor.values, [LabelValue::from("w77")].into(), "after {rounds} rounds");
    }
}

#[test]
fn a_stray_failure_elsewhere_does_not_hide_the_factor_and_its_component_is_not_drawn_in() {
    let bad = |component: &str, workspace: &str| match (component, workspace) {
        ("api", "globex") => 10,
        ("website", "globex") => 1,
        ("website", "acme") => 1,
        _ => 0,
    };
    let (tally, config) = tallied(bad);
    let finding = factor::find(&tally, &[], &Columns::new(&config));
    assert_eq!(finding.factor.unwrap().values, [LabelValue::from("globex")].into());
    assert_eq!(finding.components, [ComponentId::from("api")].into());
    assert_eq!((finding.bad, finding.looked), (12, 80));
    assert_eq!((finding.failure, finding.status), (Some(FailureClass::NotFound), Some(404)));
}

#[test]
fn a_single_definition_that_fails_is_named_where_no_label_can() {
    let probes = vec![probe("home", "website", &[]), probe("search", "website", &[])];
    let named = probes.into_iter().map(|probe| Probe { name: probe.id.as_str().into(), ..probe }).collect();
    let config = config(named, RuleKind::ErrorRate(rate()));
    let mut tally = Tally::default();
    for probe in [0, 1, 0, 1, 0, 1] {
        let (bad, probe) = (probe == 0, ProbeIndex::nth(probe));
        let class = bad.then_some(FailureClass::NotFound);
        tally.add(&Entry { at: Timestamp::from_millis(0), probe, bad, class, status: None, place: 0 });
    }
    let factor = factor::find(&tally, &[], &Columns::new(&config)).factor.unwrap();
    assert_eq!((factor.label.as_str(), factor.values), ("probe", [LabelValue::from("home")].into()));
}

#[test]
fn nothing_separates_when_all_fail_when_none_does_or_when_failures_are_spread_evenly() {
    for each in [0, 3, 10] {
        assert_eq!(separating(|_, _| each), None, "{each} of 10 everywhere");
    }
}
