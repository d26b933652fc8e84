//! The state of one check of a flow: what it has come to know so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderMap, Method};
use url::Url;

use super::hidden::Hidden;
use crate::inbox::Calls;
use crate::inbox::mail::Expected;
use crate::model::{Phases, Secrets};
use crate::probe::cookies::Jar;
use crate::probe::finding::Internal;
use crate::probe::http::Progress;
use crate::probe::stopwatch::{Trace, sum};
use crate::probe::wire::redirect::Ask;

/// What a flow has come to know so far; outlives a step that runs out of time.
pub(super) struct Run {
    /// What has been captured, by name.
    pub(super) values: BTreeMap<String, String>,
    /// Values that nobody may see.
    pub(super) hidden: Hidden,
    /// The trace of the try under way.
    pub(super) trace: Arc<Trace>,
    /// The answer to the try under way, or to the last one; it has the cookies.
    pub(super) answer: Progress,
    /// Where the time of the step under way went.
    pub(super) phases: Phases,
    /// Whether the step under way has asked.
    pub(super) asked: bool,
    /// What came last, where that was no answer: `a call`.
    pub(super) came: Option<&'static str>,
    /// The calls of the hook, if there is one and somebody listens.
    pub(super) calls: Option<Calls>,
    /// The mail to this check, likewise.
    pub(super) mailbox: Option<Expected>,
    /// What is being captured from the answer.
    pub(super) reading: Option<String>,
    /// What a step that waits saw last.
    pub(super) seen: Option<String>,
    /// Each step that was taken, and what it came to.
    pub(super) told: Vec<(String, String)>,
}

impl Run {
    pub(super) fn new() -> Result<Self, Internal> {
        let nowhere = Url::parse("http://localhost/").map_err(|error| Internal(error.to_string()))?;
        let ask = Ask {
            method: Method::GET,
            url: nowhere,
            headers: HeaderMap::new(),
            body: bytes::Bytes::new(),
            address: None,
        };
        Ok(Self {
            values: BTreeMap::new(),
            hidden: Hidden::default(),
            trace: Trace::start(),
            answer: Progress { jar: Some(Jar::default()), ..Progress::new(&Arc::new(ask)) },
            phases: Phases::default(),
            asked: false,
            came: None,
            calls: None,
            mailbox: None,
            reading: None,
            seen: None,
            told: Vec::new(),
        })
    }

    pub(super) fn begin_step(&mut self) {
        self.phases = Phases::default();
        self.seen = None;
        (self.asked, self.came) = (false, None);
    }

    /// The try that was under way, if there was one, has ended: its times go to the step and to the whole.
    pub(super) fn end_try(&mut self, whole: &Trace) {
        let ended = std::mem::replace(&mut self.trace, Trace::start());
        self.phases = sum(self.phases, ended.phases());
        whole.absorb(&ended);
    }

    /// What was under way when time ran out, if an answer had come and something was being looked for in it.
    pub(super) fn still_reading(&mut self) -> Option<String> {
        self.reading.take().map(|name| format!("the answer was still being searched for `{name}`"))
    }

    /// What is secret of the configuration, and what has become so.
    pub(super) fn known(&self, secrets: &Secrets) -> Secrets {
        self.hidden.and(secrets, self.answer.jar.as_ref())
    }
}
