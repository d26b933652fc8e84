//! What an incident is, in the first sentence that a person reads.

use crate::config::Config;
use crate::model::{ComponentId, Factor, Finding, LabelValue, Unseen};

/// What fails, short enough for a subject line: `404 Not Found for workspace=globex on Website, API`.
#[must_use]
pub fn title(finding: &Finding, config: Option<&Config>) -> String {
    if let Some(unseen) = &finding.unseen {
        return if unseen.until.is_some() { "Tripline could not see" } else { "Tripline cannot see" }.to_owned();
    }
    if let Some(what) = finding.what.as_ref().filter(|_| finding.bad == 0) {
        return what.clone();
    }
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
    if let Some(unseen) = &finding.unseen {
        return blind(unseen);
    }
    if let Some(what) = finding.what.as_ref().filter(|_| finding.bad == 0) {
        return what.clone();
    }
    let fault = fault(finding);
    let components = components(finding, config);
    match &finding.factor {
        Some(factor) => {
            let place = if is_component(Some(factor)) || components.is_empty() {
                String::new()
            } else {
                format!(" on {components}")
            };
            let others = match &factor.and {
                None => format!("every other {}", factor.label),
                Some(_) => "all others".to_owned(),
            };
            format!(
                "{fault} for {} ({} of {} checks){place}; {others}: {} of {}",
                show_factor(factor, config),
                factor.bad,
                factor.looked,
                factor.bad_elsewhere,
                factor.looked_elsewhere,
            )
        }
        // Nothing was counted of it yet.
        None if finding.looked == 0 => format!("{fault} on {components}"),
        None if finding.bad == finding.looked => {
            format!("{fault} for everyone ({} of {} checks) on {components}", finding.bad, finding.looked)
        }
        None => format!(
            "{fault} for some checks ({} of {}) on {components}; no label separates them from the others",
            finding.bad, finding.looked
        ),
    }
}

/// What was seen of an incident that ended because the config changed, and that nobody knows whether it goes on.
#[must_use]
pub fn unwatched(finding: &Finding, config: Option<&Config>) -> String {
    let what = if finding.unseen.is_some() { "Whether Tripline can see".to_owned() } else { title(finding, config) };
    format!("{what} is no longer watched: the configuration changed. It was: {}", headline(finding, config))
}

/// That it is us: nothing is known of the service.
fn blind(unseen: &Unseen) -> String {
    let Unseen { since, until, checks, hosts, canaries } = unseen;
    let counted = |count: u32, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let canaries = match canaries {
        0 => String::new(),
        1 => " nor the canary".to_owned(),
        many => format!(" nor the {many} canaries"),
    };
    if let Some(until) = until {
        return format!("Tripline sees again; not measured from {} to {}", since.show(), until.show());
    }
    format!(
        "Tripline cannot see: none of {} at {}{canaries} reached anything since {}; what the service does is not known",
        counted(*checks, "check"),
        counted(*hosts, "host"),
        since.show(),
    )
}

/// How sure we are that the factor is none by accident, in one sentence; `None` without a factor.
///
/// If the bad checks had fallen on the checks at random, the chance that at least so many of them hit the factor is the
/// tail of the hypergeometric distribution: the one-sided exact test of R. A. Fisher, "On the interpretation of
/// chi-squared from contingency tables, and the calculation of P", JRSS 85, 1922.
#[must_use]
pub fn sureness(finding: &Finding) -> Option<String> {
    let factor = finding.factor.as_ref()?;
    let bad = u64::from(factor.bad) + u64::from(factor.bad_elsewhere);
    let looked = u64::from(factor.looked) + u64::from(factor.looked_elsewhere);
    if factor.bad == 0 || looked == 0 {
        return None;
    }
    let odds = -tail(factor.bad.into(), factor.looked.into(), bad, looked) / std::f64::consts::LN_10;
    let of = format!(
        "{} of {bad} bad checks fell on {}, which had {} of {looked} checks",
        factor.bad,
        show_factor(factor, None),
        factor.looked,
    );
    Some(if odds >= 9.0 {
        format!("certain: {of}; by accident less than once in a billion")
    } else if odds >= 1.0 {
        let word = if odds >= 3.0 { "sure" } else { "likely" };
        format!("{word}: {of}; by accident at most once in {}", thousands(round_down(10_f64.powf(odds))))
    } else {
        format!("low confidence: {of}")
    })
}

/// The natural logarithm of the chance that at least `hits` of `bad` checks, drawn at random from `all`, are among the
/// `inside` ones.
fn tail(hits: u64, inside: u64, bad: u64, all: u64) -> f64 {
    let of_all = ln_choose(all, bad);
    // The terms fall quickly beyond the first, which is the greatest when more hit than chance would have it.
    let most = inside.min(bad).min(hits.saturating_add(MOST_TERMS));
    let terms = (hits..=most).map(|k| ln_choose(inside, k) + ln_choose(all - inside, bad - k) - of_all);
    terms.map(f64::exp).sum::<f64>().ln().clamp(LEAST_LN, 0.0)
}

/// More terms of the tail than this do not show in the sum.
const MOST_TERMS: u64 = 200;
/// The logarithm of a chance that is none.
const LEAST_LN: f64 = -700.0;

/// The natural logarithm of the number of ways to choose `k` of `n`; of none, minus infinity.
fn ln_choose(n: u64, k: u64) -> f64 {
    if k > n { f64::NEG_INFINITY } else { ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k) }
}

/// The natural logarithm of n!: summed up to 64, from there by Stirling's series, which is then exact to 12 digits.
#[expect(clippy::cast_precision_loss, reason = "counts of checks are far below 2^52")]
fn ln_factorial(n: u64) -> f64 {
    if n <= 64 {
        return (2..=n).map(|factor| (factor as f64).ln()).sum();
    }
    let x = n as f64;
    x.mul_add(x.ln(), -x) + 0.5 * (std::f64::consts::TAU * x).ln() + 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3))
}

/// The number with two digits that count, the rest zero: 5,600 for 5,678.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between ten and a billion")]
fn round_down(number: f64) -> u64 {
    let whole = number as u64;
    let unit = 10_u64.pow(whole.max(1).ilog10().saturating_sub(1));
    whole / unit * unit
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
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
        (None, _) => finding.what.clone().unwrap_or_else(|| "Failures of several kinds".to_owned()),
    }
}

/// The names of the components that are hit and have not recovered while others fail, in the order of the config:
/// `Website, API`.
#[must_use]
pub fn components(finding: &Finding, config: Option<&Config>) -> String {
    let recovered = finding.recovered();
    let fails = finding.components.iter().filter(|id| !recovered.contains(id));
    named(config, fails.map(ComponentId::as_str).collect())
}

/// `workspace=globex`, `workspace=acme, globex`; for components their names.
#[must_use]
pub fn show_factor(factor: &Factor, config: Option<&Config>) -> String {
    if is_component(Some(factor)) {
        return named(config, factor.values.iter().map(LabelValue::as_str).collect());
    }
    match &factor.and {
        // The components that are hit are named anyway.
        Some((label, value)) if label.as_str() != "component" => {
            format!("{} and {label}={value}", show_values(factor))
        }
        _ => show_values(factor),
    }
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

#[cfg(test)]
mod tests;
