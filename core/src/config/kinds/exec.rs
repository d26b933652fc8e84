//! `exec`: a command of this machine that looks for us.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Around, Kind, Open, Reach, given_or};
use crate::config::problem::Place;
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Given, Template, Values, as_it_is};
use crate::model::{ExecTarget, ProbeKind, kind};

keyed! {
    /// A command of this machine that looks for us: any plugin of Nagios, Icinga or the Monitoring Plugins project.
    /// `{{label}}` in `command`, `env` and `stdin` is filled in for each probe.
    pub struct Exec {
        /// The program, by its path or a name in PATH, and what it is given; no shell is between, unless you name one.
        #[schemars(length(min = 1, max = 256))]
        pub command: Vec<Word>,
        /// Environment variables that it gets beside PATH and LC_ALL=C. Ours are not inherited. Default: none.
        pub env: Option<BTreeMap<String, Word>>,
        /// What it can read from its standard input. Default: nothing.
        pub stdin: Option<Word>,
        /// What exit code 1, WARNING, is worth: `ok` or `fail`. Default: ok.
        pub warning: Option<String>,
        /// What exit code 3, UNKNOWN, is worth: `void` (nobody could look) or `fail`. Default: void.
        pub unknown: Option<String>,
    }
}

const EXAMPLE: &str = "write `exec: {command: [/usr/lib/nagios/plugins/check_load, -c, \"9,9,9\"]}`";
/// More would not be an oversight but a mistake.
const MOST_WORDS: usize = 256;

pub(super) const KIND: Kind = Kind { variables: |_| kind::exec::VARIABLES, reach: Reach::Direct, read };

/// A command whose labels are still open.
struct ExecShape {
    command: Vec<Template>,
    env: Vec<(String, Template)>,
    stdin: Option<Template>,
    warning_fails: bool,
    unknown_fails: bool,
}

fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Box<dyn Open>> {
    let given = around.given;
    let table = reader.table(entry, Exec::KEYS, EXAMPLE)?;
    let command = reader
        .need(&table, "command", "give the program and what it is given: `command: [/usr/bin/true]`")
        .and_then(|entry| command(reader, entry, given));
    let env = table.get("env").map(|entry| env(reader, entry, given));
    let stdin = table.get("stdin").map(|entry| reader.template(entry, given).map(Some));
    let warning = table.get("warning").map(|entry| reader.choice(entry, &[("ok", false), ("fail", true)]));
    let unknown = table.get("unknown").map(|entry| reader.choice(entry, &[("void", false), ("fail", true)]));
    Some(Box::new(ExecShape {
        command: command?,
        env: given_or(env, Vec::new())?,
        stdin: given_or(stdin, None)?,
        warning_fails: given_or(warning, false)?,
        unknown_fails: given_or(unknown, false)?,
    }))
}

fn command(reader: &mut Reader<'_>, entry: Entry<'_>, given: &Given<'_>) -> Option<Vec<Template>> {
    let items = reader.list(entry, "give the program and what it is given: `command: [/usr/bin/true]`")?;
    if items.len() > MOST_WORDS {
        reader.fault(entry.at, format!("`command` has {} words", items.len()), "it may have 256");
        return None;
    }
    let count = items.len();
    let words: Vec<Template> = items.into_iter().filter_map(|item| reader.template(item, given)).collect();
    (words.len() == count).then_some(words)
}

fn env(reader: &mut Reader<'_>, entry: Entry<'_>, given: &Given<'_>) -> Option<Vec<(String, Template)>> {
    let entries = reader.named(entry, "write `env: {NAME: value}`")?;
    let count = entries.len();
    let mut env = Vec::with_capacity(count);
    for entry in entries {
        let sound = entry.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && entry.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !sound {
            let fault = format!("`{}` is no name of an environment variable", entry.name);
            reader.fault(entry.at, fault, "it has letters, digits and `_`, and does not start with a digit");
            continue;
        }
        env.extend(reader.template(entry, given).map(|value| (entry.name.to_owned(), value)));
    }
    (env.len() == count).then_some(env)
}

impl Open for ExecShape {
    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
        let mut words = Vec::with_capacity(self.command.len());
        for template in &self.command {
            words.push(whole(reader, template.fill(values, as_it_is), template.place)?);
        }
        let program = words.remove(0);
        if program.is_empty() {
            let place = self.command.first().map(|template| template.place)?;
            reader.fault(place, "the program has no name", "give its path: `command: [/usr/bin/true]`");
            return None;
        }
        let mut env = Vec::with_capacity(self.env.len());
        for (name, template) in &self.env {
            env.push((name.clone(), whole(reader, template.fill(values, as_it_is), template.place)?));
        }
        env.sort();
        let stdin = self.stdin.as_ref().map(|stdin| stdin.fill(values, as_it_is)).unwrap_or_default();
        Some(ProbeKind::Exec(ExecTarget {
            program,
            args: words,
            env,
            stdin: Bytes::from(stdin),
            warning_fails: self.warning_fails,
            unknown_fails: self.unknown_fails,
        }))
    }
}

/// The text, unless it cannot be given to a program.
fn whole(reader: &mut Reader<'_>, text: String, place: Place) -> Option<String> {
    if text.contains('\0') {
        reader.fault(place, "a zero byte would end it", "no program can be given one: remove it");
        return None;
    }
    Some(text)
}
