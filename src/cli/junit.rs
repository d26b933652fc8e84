//! JUnit XML, as Jenkins, GitLab and others read it: <https://github.com/testmoapp/junitxml>.

use std::time::Duration;

/// One thing that was tried.
pub(super) struct Case {
    pub(super) class: String,
    pub(super) name: String,
    pub(super) time: Duration,
    pub(super) failure: Option<Failure>,
    /// Lines for its standard output.
    pub(super) said: Vec<String>,
}

/// What was wrong with it.
pub(super) struct Failure {
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) text: String,
}

/// A whole document with one suite.
pub(super) fn suite(name: &str, cases: impl Iterator<Item = Case>) -> String {
    let (mut lines, mut tests, mut failed) = (String::new(), 0, 0);
    for case in cases {
        tests += 1;
        let start = format!(
            "  <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
            xml(&case.class),
            xml(&case.name),
            case.time.as_secs_f64(),
        );
        let said: String =
            case.said.iter().map(|line| format!("    <system-out>{}</system-out>\n", xml(line))).collect();
        let Some(failure) = case.failure else {
            lines.push_str(&if said.is_empty() {
                format!("{start}/>\n")
            } else {
                format!("{start}>\n{said}  </testcase>\n")
            });
            continue;
        };
        failed += 1;
        lines.push_str(&format!(
            "{start}>\n    <failure type=\"{}\" message=\"{}\">{}</failure>\n{said}  </testcase>\n",
            xml(&failure.kind),
            xml(&failure.message),
            xml(&failure.text),
        ));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failed}\">\n{lines}</testsuite>\n",
        xml(name)
    )
}

/// Text as XML 1.0 allows it: markup escaped, control characters replaced.
fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' | '\t' => safe.push(' '),
            other if other.is_control() || matches!(other, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}
