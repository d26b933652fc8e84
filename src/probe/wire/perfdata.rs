//! Performance data of monitoring plugins: the numbers after the `|`.
//!
//! As in the [Monitoring Plugins Development Guidelines](https://www.monitoring-plugins.org/doc/guidelines.html)
//! (section "Performance data") and in what Nagios makes of several lines: the first line is `TEXT | DATA`, the lines
//! after it are more text until one of them has a `|`; what follows that is more data.

use std::collections::BTreeMap;

/// What a plugin printed: its text without the data, and the data.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Printed {
    /// The text, its lines as they came, without space at its end.
    pub text: String,
    /// The value of each label, as it was printed, without its unit. Of a label that comes twice, the last.
    pub perf: BTreeMap<String, f64>,
}

/// Reads what a plugin printed; bytes that are no UTF-8 are replaced.
///
/// Data that is not of the form `'label'=value[UOM];…` is left out, as are values that are unknown (`U`).
#[must_use]
pub fn parse(printed: &[u8]) -> Printed {
    let printed = String::from_utf8_lossy(printed);
    let (first, rest) = printed.split_once('\n').unwrap_or((&printed, ""));
    let (text, data) = first.split_once('|').unwrap_or((first, ""));
    let (more_text, more_data) = rest.split_once('|').unwrap_or((rest, ""));
    let mut found = Printed::default();
    found.text.push_str(text.trim_end());
    if !more_text.trim().is_empty() {
        found.text.push('\n');
        found.text.push_str(more_text.trim_end());
    }
    for data in [data, more_data] {
        read(data, &mut found.perf);
    }
    found
}

fn read(mut data: &str, perf: &mut BTreeMap<String, f64>) {
    loop {
        data = data.trim_start();
        if data.is_empty() {
            return;
        }
        let (label, rest) = label(data);
        // What is no label ends at the next space.
        let (value, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        data = rest;
        if let (Some(label), Some(value)) = (label, value.strip_prefix('=').and_then(number)) {
            perf.insert(label, value);
        }
    }
}

/// The label at the start, if there is one, and what follows it: `=`, if all is well.
fn label(data: &str) -> (Option<String>, &str) {
    let Some(quoted) = data.strip_prefix('\'') else {
        let end = data.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(data.len());
        let (label, rest) = data.split_at(end);
        return ((!label.is_empty()).then(|| label.to_owned()), rest);
    };
    // Within quotes, two of them stand for one.
    let mut label = String::new();
    let mut rest = quoted;
    loop {
        let Some((part, after)) = rest.split_once('\'') else { return (None, "") };
        label.push_str(part);
        match after.strip_prefix('\'') {
            Some(after) => {
                label.push('\'');
                rest = after;
            }
            None => return ((!label.is_empty()).then_some(label), after),
        }
    }
}

/// The number before the unit and the thresholds: `12.5` of `12.5ms;20;30;0;`. Some plugins print a comma for the point.
fn number(value: &str) -> Option<f64> {
    let value = value.split(';').next()?;
    let end =
        value.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+'))).unwrap_or(value.len());
    let (mut digits, rest) = value.split_at(end);
    // `1e-05` is how some print a small one; `E` alone would be a unit.
    if let Some(power) = rest.strip_prefix(['e', 'E']) {
        let sign = usize::from(power.starts_with(['-', '+']));
        let length = power.get(sign..)?.find(|c: char| !c.is_ascii_digit()).unwrap_or(power.len() - sign);
        if length > 0 {
            digits = value.get(..end + 1 + sign + length)?;
        }
    }
    digits.replace(',', ".").parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn perf(printed: &str) -> Vec<(String, f64)> {
        parse(printed.as_bytes()).perf.into_iter().collect()
    }

    #[test]
    fn the_example_of_the_manual_is_read() {
        let printed = "DISK OK - free space: / 3326 MB (56%); | /=2643MB;5948;5958;0;5968\n\
            / 15272 MB (77%);\n/boot 68 MB (69%);\n\
            /var/log 819 MB (84%); | /boot=68MB;88;93;0;98\n/home=69357MB;253404;253409;0;253414\n";
        let found = parse(printed.as_bytes());
        let text = "DISK OK - free space: / 3326 MB (56%);\n/ 15272 MB (77%);\n/boot 68 MB (69%);\n\
            /var/log 819 MB (84%);";
        assert_eq!(found.text, text);
        let values: Vec<(&str, f64)> = found.perf.iter().map(|(label, value)| (label.as_str(), *value)).collect();
        assert_eq!(values, [("/", 2643.0), ("/boot", 68.0), ("/home", 69357.0)]);
    }

    #[test]
    fn labels_may_be_quoted_and_values_have_units_or_are_unknown() {
        let data = "x | 'it''s here'=12.5ms;20;30 load1=0,25;; a=U b=-3% c=1e-05s d=2E e=+7c";
        let want = [("a", None), ("b", Some(-3.0)), ("c", Some(1e-5)), ("d", Some(2.0)), ("e", Some(7.0))];
        let found = parse(data.as_bytes()).perf;
        for (label, value) in want {
            assert_eq!(found.get(label).copied(), value, "{label}");
        }
        assert_eq!((found["it's here"], found["load1"]), (12.5, 0.25));
    }

    #[test]
    fn what_is_no_data_is_left_out_and_what_follows_is_read() {
        assert_eq!(perf("x | nonsense =5 a= b==2 c=1 'open=3"), [("c".to_owned(), 1.0)]);
        assert_eq!(perf("no data at all"), []);
        assert_eq!(parse(b"").text, "");
        assert_eq!(parse(b"only text\n").text, "only text");
    }

    proptest! {
        #[test]
        fn anything_can_be_read(printed in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            let found = parse(&printed);
            prop_assert!(found.text.len() <= printed.len() * 3 + 1);
            prop_assert!(found.perf.values().all(|value| value.is_finite()));
        }

        #[test]
        fn what_was_written_by_the_rules_is_read_back(
            values in proptest::collection::btree_map("[a-z/' ]{0,8}[a-z]", -1_000_000i32..1_000_000, 0..8),
            unit in "(s|ms|%|MB|c|)",
        ) {
            let data: Vec<String> = values
                .iter()
                .map(|(label, value)| format!("'{}'={value}{unit};1;2;;", label.replace('\'', "''")))
                .collect();
            let found = parse(format!("OK - all well | {}\n", data.join(" ")).as_bytes());
            prop_assert_eq!(found.text, "OK - all well");
            prop_assert_eq!(found.perf, values.into_iter().map(|(label, value)| (label, value.into())).collect());
        }
    }
}
