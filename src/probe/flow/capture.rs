//! Captures: values taken from an answer.

mod aside;
mod page;

use regex::Regex;
use serde_json_path::JsonPath;

use super::{Run, Undone};
use crate::model::FailureClass;
use crate::model::kind::flow::{Capture, Source};
use crate::probe::frame::Broken;
use crate::probe::http::Progress;
use aside::aside;

/// The longest value that is captured, in bytes.
const LONGEST: usize = 16 * 1024;
/// The shortest value that is hidden where it was not captured, in bytes: a one-time code is as long. What a shorter one
/// says is found in many a text that it has nothing to do with.
const SHORTEST_HIDDEN: usize = 6;
/// A body longer than this is searched beside the runtime, which has other checks to make.
const LONG_BODY: usize = 32 * 1024;

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
        value if value.len() > LONGEST => {
            Err(nothing(format!("{} has {} bytes, and {LONGEST} are allowed", capture.from, value.len())))
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
            run.hide(&value);
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
            && value.len() >= SHORTEST_HIDDEN
        {
            run.hide(&value);
        }
    }
}

async fn page(selector: &str, attribute: Option<&str>, body: &[u8]) -> Result<String, String> {
    let (selector, attribute, body) = (selector.to_owned(), attribute.map(ToOwned::to_owned), body.to_vec());
    aside(move |stop| page::element(&selector, attribute.as_deref(), &body, stop)).await
}

async fn searched(path: &JsonPath, body: &[u8], cut: bool) -> Result<String, String> {
    if cut {
        return Err(format!("the body is longer than the {} bytes that are read", body.len()));
    }
    if body.len() <= LONG_BODY {
        return json(path, body);
    }
    let (path, body) = (path.clone(), body.to_vec());
    aside(move |_| json(&path, &body)).await
}

async fn looked(pattern: &Regex, body: &[u8]) -> Result<String, String> {
    if body.len() <= LONG_BODY {
        return matched(pattern, &String::from_utf8_lossy(body));
    }
    let (pattern, body) = (pattern.clone(), body.to_vec());
    aside(move |_| matched(&pattern, &String::from_utf8_lossy(&body))).await
}

fn json(path: &JsonPath, body: &[u8]) -> Result<String, String> {
    let body: serde_json::Value = serde_json::from_slice(body)
        .map_err(|error| format!("the body is no JSON (line {}, column {})", error.line(), error.column()))?;
    let found = path.query(&body).first().ok_or_else(|| format!("nothing is at {path}"))?;
    match found {
        serde_json::Value::String(text) => Ok(text.clone()),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        serde_json::Value::Bool(value) => Ok(value.to_string()),
        _ => Err(format!("what is at {path} is no text, number, true or false")),
    }
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
}
