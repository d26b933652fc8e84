//! Captures: values taken from an answer.

mod offload;
mod page;

use regex::Regex;
use serde_json_path::JsonPath;

use super::run::Run;
use super::step::Undone;
use crate::model::FailureClass;
use crate::model::kind::flow::{Capture, Source};
use crate::probe::broken::Broken;
use crate::probe::http::Progress;
use crate::probe::json::{Size, tree};
use offload::{Stop, offload};

/// The longest value that is captured, in bytes.
const LONGEST_VALUE: usize = 16 * 1024;
/// The shortest value that is hidden where it was not captured, in bytes: a one-time code is as long. What a shorter one
/// says is found in many a text that it has nothing to do with.
const SHORTEST_HIDDEN_VALUE: usize = 6;
/// A body longer than this is searched beside the runtime, which has other checks to make.
const LONG_BODY: usize = 32 * 1024;
/// A page up to this length, in bytes, is read at once, whatever the selector; it waits for no longer one.
const SHORT_PAGE: usize = 1024;
/// The most steps that a path may take in a body: nothing can stop it once it is on its way.
const MOST_PATH_STEPS: usize = 2_000_000;

/// The value in this answer, or why there is none: `nothing is at $.id: the body is no JSON`.
async fn take(capture: &Capture, answer: &Progress) -> Result<String, String> {
    let nothing = |why: String| format!("nothing can be captured as `{}`: {why}", capture.name);
    let value = match &capture.from {
        Source::Css { selector, attribute } => page(selector, attribute.as_deref(), &answer.body).await,
        Source::Json(path) => searched(path, &answer.body, answer.cut).await,
        Source::Header(name) => {
            let value = answer.headers.as_ref().and_then(|headers| headers.get(name));
            let value = value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            value.ok_or_else(|| format!("the answer has no header {name}"))
        }
        Source::Regex(pattern) => looked(pattern, &answer.body).await,
        Source::Cookie(name) => {
            let value = answer.jar.as_ref().and_then(|jar| jar.value(name, &answer.ask.url));
            value.ok_or_else(|| format!("no cookie {name} has been set"))
        }
    };
    match value.map_err(nothing)? {
        value if value.is_empty() => Err(nothing(format!("{} is empty", capture.from))),
        value if value.len() > LONGEST_VALUE => {
            Err(nothing(format!("{} has {} bytes, and {LONGEST_VALUE} are allowed", capture.from, value.len())))
        }
        value => Ok(value),
    }
}

/// Takes all of these from the answer that has come.
pub(super) async fn all(captures: &[Capture], run: &mut Run) -> Result<(), Undone> {
    for wanted in captures {
        run.reading = Some(wanted.name.clone());
        let captured = take(wanted, &run.answer).await;
        run.reading = None;
        let value = captured.map_err(|fault| Broken::failed(FailureClass::Expectation, fault))?;
        if !wanted.show {
            run.hidden.add(&value);
        }
        run.values.insert(wanted.name.clone(), value);
    }
    Ok(())
}

/// Hides what these would take from the answer that has come, which will not be taken: the step has failed. A sign-in that
/// is refused brings a form with another token, and a token may come in an answer that is not as expected.
pub(super) async fn hide(captures: impl Iterator<Item = &Capture>, run: &mut Run) {
    for capture in captures.filter(|capture| !capture.show) {
        run.reading = Some(capture.name.clone());
        let taken = take(capture, &run.answer).await;
        run.reading = None;
        if let Ok(value) = taken
            && value.len() >= SHORTEST_HIDDEN_VALUE
        {
            run.hidden.add(&value);
        }
    }
}

async fn page(selector: &str, attribute: Option<&str>, body: &[u8]) -> Result<String, String> {
    if body.len() <= SHORT_PAGE {
        return page::element(selector, attribute, body, &Stop::default());
    }
    let (selector, attribute, body) = (selector.to_owned(), attribute.map(ToOwned::to_owned), body.to_vec());
    offload(move |stop| page::element(&selector, attribute.as_deref(), &body, stop)).await
}

async fn searched(path: &JsonPath, body: &[u8], cut: bool) -> Result<String, String> {
    if cut {
        return Err(format!("the body is longer than the {} bytes that are read", body.len()));
    }
    if body.len() <= LONG_BODY {
        return json(path, body);
    }
    let (path, body) = (path.clone(), body.to_vec());
    offload(move |_| json(&path, &body)).await
}

async fn looked(pattern: &Regex, body: &[u8]) -> Result<String, String> {
    if body.len() <= LONG_BODY {
        return matched(pattern, &String::from_utf8_lossy(body));
    }
    let (pattern, body) = (pattern.clone(), body.to_vec());
    offload(move |_| matched(&pattern, &String::from_utf8_lossy(&body))).await
}

fn json(path: &JsonPath, body: &[u8]) -> Result<String, String> {
    let (body, size) = tree(body).map_err(|fault| format!("the {fault}"))?;
    // The crate writes three points where there were two.
    let shown = path.to_string().replace("...", "..");
    if steps(&shown, size) > MOST_PATH_STEPS {
        return Err(format!(
            "the body has {} values, and searching them by {shown} could take for ever",
            size.values
        ));
    }
    let found = path.query(&body).first().ok_or_else(|| format!("nothing is at {shown}"))?;
    match found {
        serde_json::Value::String(text) => Ok(text.clone()),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        serde_json::Value::Bool(value) => Ok(value.to_string()),
        _ => Err(format!("what is at {shown} is no text, number, true or false")),
    }
}

/// How many steps a path may take, at most. One `..` looks at every value; each further one may look at what is below a
/// value once for every level above it, and each `$` within a filter at the whole again for every value.
fn steps(path: &str, size: Size) -> usize {
    let descents = path.matches("..").count().saturating_sub(1);
    let wholes = path.matches('$').count().saturating_sub(1);
    let power = |base: usize, times: usize| base.max(2).saturating_pow(u32::try_from(times).unwrap_or(u32::MAX));
    size.values.saturating_mul(power(size.depth, descents)).saturating_mul(power(size.values, wholes))
}

fn matched(pattern: &Regex, body: &str) -> Result<String, String> {
    let found = pattern.captures(body).ok_or_else(|| format!("the body has nothing like /{pattern}/"))?;
    let found = found.get(1).or_else(|| found.get(0));
    Ok(found.map(|found| found.as_str().to_owned()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_gives_its_first_group_or_the_whole() {
        let matched = |pattern: &str| matched(&Regex::new(pattern).unwrap(), "token=abc7;");
        assert_eq!(matched("token=([a-z]+)").as_deref(), Ok("abc"));
        assert_eq!(matched("[0-9]").as_deref(), Ok("7"));
        assert_eq!(matched("[A-Z]"), Err("the body has nothing like /[A-Z]/".into()));
    }

    #[test]
    fn a_path_that_could_take_for_ever_is_not_begun() {
        let path = |path: &str| JsonPath::parse(path).unwrap();
        let deep = format!("{}7{}", r#"{"a":"#.repeat(120), "}".repeat(120));
        let body = format!("[{}]", vec![deep; 80].join(","));
        assert_eq!(
            json(&path("$[0]..a"), body.as_bytes()),
            Err("what is at $[0]..a is no text, number, true or false".into())
        );
        for costly in ["$..*..*..b", "$..a..a..a", "$..[?count($..*) > 9]"] {
            let fault = json(&path(costly), body.as_bytes()).unwrap_err();
            assert!(fault.starts_with("the body has 9"), "{fault}");
            assert!(fault.contains("could take for ever"), "{fault}");
        }
        let flat = format!("[{}]", vec![r#"{"id": 7, "state": "done"}"#; 9_000].join(","));
        assert_eq!(json(&path("$..[?@.state == 'done'].id"), flat.as_bytes()).as_deref(), Ok("7"));
        assert_eq!(
            json(&path("$[?@.x == 1]..id..y"), flat.as_bytes()),
            Err("nothing is at $[?@['x']==1]..id..y".into())
        );
    }
}
