//! `tripline demo`: one outage, one incident, two mails in one thread.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mail_parser::{MessageParser, MimeHeaders, PartType};
use nix::sys::signal::Signal;
use tripline::model::Outcome;
use tripline::store::Reader;

use crate::terminal::{Process, command, tripline};

fn mails(folder: &Path) -> Vec<PathBuf> {
    let mut mails: Vec<PathBuf> =
        std::fs::read_dir(folder.join("mails")).unwrap().map(|entry| entry.unwrap().path()).collect();
    mails.sort();
    mails
}

#[test]
fn the_demo_plays_one_outage_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let play = folder.path().join("play");
    let demo = Process::start(folder.path(), command(folder.path(), &["demo", "--dir", "play"], &[]));
    let said = demo.end(Duration::from_secs(90)).with(0).out;
    assert!(!said.contains('\x1b'), "no colours where there is no terminal: {said}");
    for part in [
        "FAULT ",
        "INCIDENT ",
        "MAIL ",
        "REPAIR ",
        "One incident was opened, for workspace=globex (not_found), and resolved.",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("WRONG"), "{said}");

    // The mails: exactly two, in one thread, both with a text and an HTML part.
    let sources: Vec<Vec<u8>> = mails(&play).iter().map(|path| std::fs::read(path).unwrap()).collect();
    let [opened, resolved] = sources.as_slice() else { panic!("{:?}", mails(&play)) };
    let (opened, resolved) =
        (MessageParser::default().parse(opened).unwrap(), MessageParser::default().parse(resolved).unwrap());
    let first = opened.message_id().unwrap();
    assert_ne!(resolved.message_id().unwrap(), first);
    assert!(opened.in_reply_to().is_empty() && opened.references().is_empty());
    assert_eq!(resolved.in_reply_to().as_text(), Some(first));
    assert_eq!(resolved.references().as_text(), Some(first));
    for (mail, news) in [(&opened, "MAJOR: "), (&resolved, "RESOLVED after ")] {
        let subject = mail.subject().unwrap();
        assert!(subject.starts_with(&format!("[Example Forge] {news}")), "{subject}");
        assert!(subject.contains("workspace=globex"), "{subject}");
        assert!(mail.content_type().unwrap().subtype() == Some("alternative"), "{subject}");
        assert!(matches!(mail.text_bodies().next().unwrap().body, PartType::Text(_)), "{subject}");
        assert!(matches!(mail.html_bodies().next().unwrap().body, PartType::Html(_)), "{subject}");
        for part in [mail.body_text(0).unwrap(), mail.body_html(0).unwrap()] {
            assert!(part.contains("workspace=globex") && part.contains("Git via HTTPS"), "{subject}: {part}");
        }
        let id = mail.body_text(0).unwrap();
        let id = id.split("tripline incident show ").nth(1).unwrap().split_whitespace().next().unwrap();
        assert!(said.contains(&format!("incident show {id}")), "{subject}");
    }

    // The database, at the place that is printed.
    let database = said.lines().find_map(|line| line.trim().strip_prefix("database  ")).expect("the database's path");
    assert!(folder.path().join(database).is_file(), "{database}");
    let listed = tripline(folder.path(), &["--db", database, "incident", "list", "--all"]).with(0).out;
    assert_eq!(listed.lines().count(), 2, "a header and one incident: {listed}");
    assert!(listed.contains("resolved") && listed.contains("workspace=globex"), "{listed}");
    // The command that is printed works as it is.
    let look = said.lines().find_map(|line| line.trim().strip_prefix("look      ")).expect("the command");
    let mut words = look.split_whitespace();
    assert!(words.next().is_some_and(|program| program.ends_with("tripline")), "{look}");
    let shown = tripline(folder.path(), &words.collect::<Vec<_>>()).with(0).out;
    assert!(shown.contains("resolved") && shown.contains("notified oncall: opened"), "{shown}");

    // A second play would tell of the first one's incident as well.
    let again = tripline(folder.path(), &["demo", "--dir", "play"]).with(2);
    assert!(again.err.contains("play holds an earlier demo; delete it, or name another folder"), "{again:?}");
}

#[test]
fn an_interrupted_demo_ends_soon_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Process::start(folder.path(), command(folder.path(), &["demo", "--dir", "play"], &[]));
    demo.until("the daemon watches", |demo| demo.out().contains("the daemon watches the forge"));
    let database = folder.path().join("play/tripline.db");
    let results = || {
        let mut results = Vec::new();
        let reader = Reader::open(&database).ok()?;
        reader
            .results_since(tripline::model::Timestamp::from_millis(0), |judged| results.push(judged.result))
            .unwrap();
        Some(results)
    };
    demo.until("a result is stored", |_| results().is_some_and(|results| !results.is_empty()));
    demo.signal(Signal::SIGINT);
    let began = Instant::now();
    let ended = demo.end(Duration::from_secs(15)).with(1);
    assert!(began.elapsed() < Duration::from_secs(5), "nobody waits for the play's end");
    assert!(ended.out.contains("interrupted") && !ended.out.contains("WRONG"), "{}", ended.out);
    let wal = std::fs::metadata(folder.path().join("play/tripline.db-wal")).map_or(0, |wal| wal.len());
    assert_eq!(wal, 0, "the database is closed whole");
    assert!(results().unwrap().iter().all(|result| result.outcome == Outcome::Success));
    assert!(mails(&folder.path().join("play")).is_empty());
}
