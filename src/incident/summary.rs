//! What an incident is, in the first sentence that a person reads.

use crate::config::Config;
use crate::model::{ComponentId, Factor, Finding, LabelValue};

/// What fails, short enough for a subject line: `404 Not Found for workspace=globex on Website, API`.
#[must_use]
pub fn title(finding: &Finding, config: Option<&Config>) -> String {
    let whom = finding.factor.as_ref().map(|factor| format!(" for {}", show_factor(factor, config)));
    let components = components(finding, config);
    let place = if is_component(finding.factor.as_ref()) || components.is_empty() {
        String::new()
    } else {
        format!(" on {components}")
    };
    format!("{}{}{place}", fault(finding), whom.unwrap_or_default())
}

/// The whole first sentence, with the counts:
/// `404 Not Found for workspace=globex (12 of 12 checks) on Website, API; every other workspace: 0 of 108`.
#[must_use]
pub fn headline(finding: &Finding, config: Option<&Config>) -> String {
    let fault = fault(finding);
    let components = components(finding, config);
    match &finding.factor {
        Some(factor) => {
            let place = if is_component(Some(factor)) || components.is_empty() {
                String::new()
            } else {
                format!(" on {components}")
            };
            format!(
                "{fault} for {} ({} of {} checks){place}; every other {}: {} of {}",
                show_factor(factor, config),
                factor.bad,
                factor.looked,
                factor.label,
                factor.bad_elsewhere,
                factor.looked_elsewhere,
            )
        }
        None if finding.bad == finding.looked => {
            format!("{fault} for everyone ({} of {} checks) on {components}", finding.bad, finding.looked)
        }
        None => format!(
            "{fault} for some checks ({} of {}) on {components}; no label separates them from the others",
            finding.bad, finding.looked
        ),
    }
}

/// How sure we are that the factor is none by accident, in one sentence; `None` without a factor.
///
/// If the bad checks had fallen on customers at random, the chance that at least so many of them hit the factor is at
/// most exp(-n D(p || q)), where n is the number of bad checks, p the share of them inside the factor, q the share of
/// all checks inside it and D the relative entropy (W. Hoeffding, "Probability inequalities for sums of bounded random
/// variables", JASA 58, 1963, theorem 1; section 6 extends it to drawing without replacement).
#[must_use]
pub fn sureness(finding: &Finding) -> Option<String> {
    let factor = finding.factor.as_ref()?;
    let bad = f64::from(factor.bad) + f64::from(factor.bad_elsewhere);
    let looked = f64::from(factor.looked) + f64::from(factor.looked_elsewhere);
    if bad <= 0.0 || looked <= 0.0 {
        return None;
    }
    let inside = f64::from(factor.bad) / bad;
    let expected = f64::from(factor.looked) / looked;
    let nats = bad * divergence(inside, expected);
    let of = format!(
        "{} of {} bad checks are among the {} of {} made for {}",
        factor.bad,
        factor.bad + factor.bad_elsewhere,
        factor.looked,
        factor.looked + factor.looked_elsewhere,
        show_values(factor)
    );
    let odds = (nats / std::f64::consts::LN_10).floor();
    Some(if odds >= 9.0 {
        format!("certain: {of}; by accident less than once in a billion")
    } else if odds >= 1.0 {
        format!(
            "{}: {of}; by accident at most once in {}",
            if odds >= 3.0 { "sure" } else { "likely" },
            once_in(nats)
        )
    } else {
        format!("a guess so far: {of}")
    })
}

/// The greatest power of ten that is at most e to this power: `1,000`.
fn once_in(nats: f64) -> String {
    let mut power = 1_u64;
    let mut rest = nats;
    while rest >= std::f64::consts::LN_10 && power < 1_000_000_000 {
        power *= 10;
        rest -= std::f64::consts::LN_10;
    }
    let digits = power.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The relative entropy of two coins, in nats.
fn divergence(p: f64, q: f64) -> f64 {
    let term = |p: f64, q: f64| if p <= 0.0 { 0.0 } else { p * (p / q).ln() };
    term(p, q) + term(1.0 - p, 1.0 - q)
}

/// What went wrong, as its protocol names it: `404 Not Found`.
#[must_use]
pub fn fault(finding: &Finding) -> String {
    let named = finding.status.and_then(|status| http::StatusCode::from_u16(status).ok());
    match (finding.failure, named) {
        (Some(_), Some(status)) if status.as_u16() >= 400 => match status.canonical_reason() {
            Some(reason) => format!("{} {reason}", status.as_u16()),
            None => format!("Status {}", status.as_u16()),
        },
        (Some(class), _) => class.title().to_owned(),
        (None, _) => "Failures of several kinds".to_owned(),
    }
}

/// The names of the components that are hit, in the order of the config: `Website, API`.
#[must_use]
pub fn components(finding: &Finding, config: Option<&Config>) -> String {
    named(config, finding.components.iter().map(ComponentId::as_str).collect())
}

/// `workspace=globex`, `workspace=acme, globex`; for components their names.
#[must_use]
pub fn show_factor(factor: &Factor, config: Option<&Config>) -> String {
    if is_component(Some(factor)) {
        return named(config, factor.values.iter().map(LabelValue::as_str).collect());
    }
    show_values(factor)
}

/// The components' names, in the order of the config; their ids where there is no config or it does not know them.
fn named(config: Option<&Config>, mut ids: Vec<&str>) -> String {
    let mut names = Vec::new();
    for component in config.iter().flat_map(|config| &config.components) {
        if let Some(at) = ids.iter().position(|id| *id == component.id.as_str()) {
            names.push(component.name.as_str());
            ids.remove(at);
        }
    }
    names.extend(ids);
    names.join(", ")
}

/// More values than this are counted, not listed.
const LISTED: usize = 5;

fn show_values(factor: &Factor) -> String {
    let mut values: Vec<&str> = factor.values.iter().take(LISTED).map(|value| value.as_str()).collect();
    let rest = factor.values.len().saturating_sub(LISTED);
    let more = format!("and {rest} more");
    if rest > 0 {
        values.push(&more);
    }
    format!("{}={}", factor.label, values.join(", "))
}

fn is_component(factor: Option<&Factor>) -> bool {
    factor.is_some_and(|factor| factor.label.as_str() == "component")
}
