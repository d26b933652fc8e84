//! `tripline demo --forge`: a forge to practise on, which every probe of the configuration can be asked of.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::terminal::{Process, command, tripline};

/// What `once` shows of each probe: its id, and what came of it.
fn outcomes(table: &str) -> Vec<(&str, &str)> {
    let rows = table.lines().filter(|line| line.starts_with("ok ") || line.starts_with("FAIL "));
    rows.map(|row| {
        let mut words = row.split_whitespace().skip(1);
        (words.next().unwrap(), words.next().unwrap())
    })
    .collect()
}

#[test]
fn all_twelve_components_are_well_until_the_forge_is_broken_and_then_four_fail_for_one_customer() {
    let folder = tempfile::tempdir().unwrap();
    let mut forge = Process::start(folder.path(), command(folder.path(), &["demo", "--forge", "--dir", "play"], &[]));
    forge.until("the commands are shown", |forge| forge.out().contains("/-/repair"));
    let said = forge.out();
    let line = |part: &str| said.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {said}"));
    // The commands that are printed work as they are.
    let once = || {
        let words: Vec<&str> = line(" once ").split_whitespace().skip(1).collect();
        tripline(folder.path(), &words)
    };
    let curl = |part: &str| {
        let mut words = line(part).split_whitespace();
        let mut curl = std::process::Command::new(words.next().unwrap());
        let output = curl.args(words).args(["--silent", "--fail"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };

    let well = once().with(0).out;
    let asked = outcomes(&well);
    assert_eq!(asked.len(), 26, "{well}");
    assert!(asked.iter().all(|(_, outcome)| *outcome == "success"), "{well}");
    assert!(well.contains("26 of 26 checks succeeded."), "{well}");

    curl("/-/break/globex");
    let broken = once().with(1).out;
    let (failed, rest): (Vec<_>, Vec<_>) =
        outcomes(&broken).into_iter().partition(|(_, outcome)| *outcome == "not_found");
    let names = ["dashboard", "api-repos", "git-https", "git-ssh"].map(|name| format!("{name}[workspace=globex]"));
    assert_eq!(failed.iter().map(|(id, _)| *id).collect::<Vec<_>>(), names, "{broken}");
    assert!(rest.iter().all(|(_, outcome)| *outcome == "success"), "{broken}");

    curl("/-/repair");
    once().with(0);
    forge.signal(Signal::SIGINT);
    forge.end(Duration::from_secs(10)).with(0);
}

#[test]
fn once_without_ports_leaves_out_what_has_to_be_reached_and_says_how_it_would_not() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("probes.yaml"), include_str!("../../probes.yaml")).unwrap();
    let ended = tripline(folder.path(), &["once", "--probe", "push-event", "--probe", "sign-up"]).with(2);
    for part in [
        "push-event is left out: it waits for a call, and nothing takes one without --listen ADDRESS",
        "sign-up is left out: it waits for a mail, and nothing takes one without --listen-mail ADDRESS",
        "no check is left to be made",
    ] {
        assert!(ended.err.contains(part), "{part}: {}", ended.err);
    }
    assert_eq!(ended.out, "");
}
