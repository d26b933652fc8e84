//! What Git LFS servers say: where a file can be had or put, or why it cannot.
//!
//! After the [batch API](https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md) of Git LFS, and its
//! [authentication](https://github.com/git-lfs/git-lfs/blob/main/docs/api/authentication.md) over SSH.

#[cfg(test)]
mod tests;

use serde_json::Value;

/// More headers than this are no request that a server wants of us.
const MOST_HEADERS: usize = 64;
/// The longest words of a server that are kept, in bytes.
const LONGEST_MESSAGE: usize = 1_024;

/// What is not of the protocol, in plain words; it shows nothing of what came, which may be secret.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fault(&'static str);

/// A request that a server wants of us.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Action {
    /// Where to.
    pub href: String,
    /// Its headers, whose values are secret.
    pub headers: Vec<(String, String)>,
}

/// What a server says of one file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Offer {
    /// It can be had or put.
    Open {
        /// How many bytes the server says that it has.
        size: u64,
        /// Whether these requests say themselves who asks.
        authenticated: bool,
        /// How it is had or put; nothing where it need not be put.
        transfer: Option<Action>,
        /// What is asked after it was put.
        verify: Option<Action>,
    },
    /// It cannot.
    Refused {
        /// As a status of HTTP.
        code: u16,
        /// The server's words.
        message: String,
    },
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

fn action(value: &Value) -> Result<Action, Fault> {
    let href = text(value, "href").ok_or(Fault("an action without `href`"))?;
    let mut headers = Vec::new();
    if let Some(given) = value.get("header").filter(|given| !given.is_null()) {
        let given = given.as_object().ok_or(Fault("a `header` that is no object"))?;
        if given.len() > MOST_HEADERS {
            return Err(Fault("an action with more than 64 headers"));
        }
        for (name, value) in given {
            let value = value.as_str().ok_or(Fault("a header whose value is no text"))?;
            headers.push((name.clone(), value.to_owned()));
        }
    }
    Ok(Action { href, headers })
}

fn parsed(json: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(json).map_err(|_| Fault("what came is no JSON"))
}

/// Reads the answer to a batch of one file, to be downloaded or uploaded (`operation`).
///
/// # Errors
/// When it is none, or speaks of another file.
pub fn batch(json: &[u8], operation: &str, oid: &str) -> Result<Offer, Fault> {
    let answer = parsed(json)?;
    if text(&answer, "transfer").is_some_and(|transfer| transfer != "basic") {
        return Err(Fault("another `transfer` than `basic`, which alone was offered"));
    }
    let objects = answer.get("objects").and_then(Value::as_array).ok_or(Fault("there are no `objects`"))?;
    let object = match &objects[..] {
        [object] => object,
        _ => return Err(Fault("there is not one of `objects`, as was asked for")),
    };
    if text(object, "oid").is_none_or(|named| !named.eq_ignore_ascii_case(oid)) {
        return Err(Fault("the answer is about another object"));
    }
    if let Some(error) = object.get("error").filter(|error| !error.is_null()) {
        let code = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        let message = text(error, "message").unwrap_or_default();
        return Ok(Offer::Refused { code: code.ok_or(Fault("an `error` without `code`"))?, message: cut(message) });
    }
    let size = object.get("size").and_then(Value::as_u64).ok_or(Fault("an object without `size`"))?;
    let actions = object.get("actions").filter(|actions| !actions.is_null());
    let named = |name| actions.and_then(|actions| actions.get(name)).filter(|found| !found.is_null());
    Ok(Offer::Open {
        size,
        authenticated: object.get("authenticated").and_then(Value::as_bool).unwrap_or_default(),
        transfer: named(operation).map(action).transpose()?,
        verify: named("verify").map(action).transpose()?,
    })
}

/// Reads what `git-lfs-authenticate` prints: where the batches of a repository are asked for, and with what headers.
/// Without `href`, that is where the repository itself is.
///
/// # Errors
/// When it is none.
pub fn authenticated(json: &[u8]) -> Result<Action, Fault> {
    let mut answer = parsed(json)?;
    if let Some(answer) = answer.as_object_mut() {
        answer.entry("href").or_insert_with(|| Value::from(""));
    }
    action(&answer)
}

/// The words of an answer that is a failure.
#[must_use]
pub fn message(json: &[u8]) -> Option<String> {
    parsed(json).ok().and_then(|answer| text(&answer, "message")).map(cut)
}

fn cut(mut words: String) -> String {
    words.truncate(words.floor_char_boundary(LONGEST_MESSAGE));
    words
}
