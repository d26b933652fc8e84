use std::collections::BTreeSet;

use super::*;

fn finding(bad: u32, looked: u32, bad_elsewhere: u32, looked_elsewhere: u32) -> Finding {
    let values = BTreeSet::from(["globex".into()]);
    let factor =
        Factor { label: "workspace".into(), values, and: None, bad, looked, bad_elsewhere, looked_elsewhere };
    Finding {
        factor: Some(factor),
        bad: bad + bad_elsewhere,
        looked: looked + looked_elsewhere,
        ..Finding::default()
    }
}

#[test]
fn the_tail_is_that_of_the_hypergeometric_distribution() {
    // All 3 of 3 among 3 of 8: one way of 56.
    assert!((tail(3, 3, 3, 8).exp() - 1.0 / 56.0).abs() < 1e-12);
    // At least 2 of 3 among 4 of 10: (C(4,2) C(6,1) + C(4,3)) / C(10,3) = 40 / 120.
    assert!((tail(2, 4, 3, 10).exp() - 40.0 / 120.0).abs() < 1e-12);
    // Everything is among everything.
    assert!(tail(5, 9, 5, 9).abs() < 1e-12);
    // Stirling's series goes on where the sum ends.
    let summed: f64 = (2..=65_u32).map(|factor| f64::from(factor).ln()).sum();
    assert!((ln_factorial(65) - summed).abs() < 1e-10);
}

#[test]
fn sureness_grows_with_the_evidence_and_names_the_odds() {
    let said = |bad, looked, others| sureness(&finding(bad, looked, 0, others)).unwrap();
    assert!(said(1, 1, 3).starts_with("low confidence: "), "{}", said(1, 1, 3));
    assert_eq!(
        said(3, 3, 5),
        "likely: 3 of 3 bad checks fell on workspace=globex, which had 3 of 8 checks; by accident at most once in 56"
    );
    assert!(
        said(6, 6, 20).starts_with("sure: ") && said(6, 6, 20).ends_with("once in 230,000"),
        "{}",
        said(6, 6, 20)
    );
    assert!(said(12, 12, 108).starts_with("certain: "), "{}", said(12, 12, 108));
    assert!(sureness(&finding(1_000_000, 1_000_000, 7, 30_000_000)).unwrap().starts_with("certain: "));
}
