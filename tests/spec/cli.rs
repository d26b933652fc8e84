//! The command line: what each command says, and the exit code that a script goes by. 0: well; 1: the thing asked
//! about is not well; 2: wrong usage or configuration; 3: our own failure.

mod corrections;
mod incidents;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tripline::clock;
use tripline::model::{IncidentChange, IncidentEvent, IncidentId};
use tripline::store::{Attempt, AttemptOutcome, Commit, FailedBecause, Reader, Writer};

use crate::given::{address, incident, opening};
use crate::servers::{Server, answer};
use crate::terminal::{Process, tripline};

const WELL: &str = r#"
name: Shop
components: {web: {name: Web}}
probes:
  home: {component: web, http: {url: "http://127.0.0.1:9/"}}
"#;

fn folder(config: impl AsRef<[u8]>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("probes.yaml"), config).unwrap();
    folder
}

#[test]
fn help_names_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let help = tripline(folder.path(), &["--help"]).with(0).out;
    for command in ["run", "validate", "once", "drill", "incident", "postmortem", "backtest", "schema", "demo"] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{command} "))), "{command}: {help}");
        tripline(folder.path(), &[command, "--help"]).with(0);
    }
    let help = tripline(folder.path(), &["incident", "--help"]).with(0).out;
    for command in ["list", "show", "ack", "note", "monitor", "resolve", "merge", "split", "false-alarm"] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{command} "))), "{command}: {help}");
    }
    assert!(tripline(folder.path(), &["--version"]).with(0).out.contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn arguments_that_are_unknown_or_missing_are_refused_with_the_way_to_help() {
    let folder = folder(WELL);
    for wrong in [
        &["watch"][..],
        &["validate", "--strict"],
        &["once", "--format", "xml"],
        &["incident", "show"],
        &["incident", "note", "ab", ""],
        &["--log-format", "yaml", "validate"],
    ] {
        let ended = tripline(folder.path(), wrong).with(2);
        assert!(ended.err.contains("--help"), "{wrong:?}: {}", ended.err);
        assert!(ended.out.is_empty(), "{wrong:?}: {}", ended.out);
    }
}

#[test]
fn validate_shows_the_plan_of_a_good_config_and_is_silent_on_standard_error() {
    let folder = folder(include_str!("../../probes.yaml"));
    let ended = tripline(folder.path(), &["validate"]).with(0);
    for part in ["probes.yaml is OK.", "checks a minute", "Git via HTTPS", "not-found-spike", "oncall is notified by"]
    {
        assert!(ended.out.contains(part), "{part}: {}", ended.out);
    }
    assert_eq!(ended.err, "");
}

#[test]
fn validate_holds_the_rules_about_failing_checks_to_a_budget() {
    let folder = tempfile::tempdir().unwrap();
    let config = "name: Forge\ncohorts: {workspace: [acme, globex]}\ncomponents: {website: {}}\nprobes:\n  home:\n    \
                  component: website\n    for_each: [workspace]\n    interval: 10s\n    timeout: 2s\n    retry: {times: 0}\n    \
                  http: {url: \"https://forge.example/\"}\nrules:\n  down: {consecutive: 3}\n  \
                  certificates: {expires_within: 14d}\n  never: {above: 5%, within: 20s, at_least: 9}\n";
    std::fs::write(folder.path().join("probes.yaml"), config).unwrap();
    let over = tripline(folder.path(), &["validate", "--budget", "31s"]).with(1).out;
    assert!(over.contains("OVER THE BUDGET of 31s:\n  down for home[workspace=acme] and 1 alike: 32s\n"), "{over}");
    assert!(over.contains("never for all checks: no bound: it needs 9 bad checks within 20s"), "{over}");
    assert!(over.contains("WARNING: rule never may never notice anything: it needs 9"), "{over}");
    assert!(over.contains("workspace: 19%, with 2 of 2 values watched"), "{over}");
    std::fs::write(folder.path().join("probes.yaml"), config.replace("  never", "  # never")).unwrap();
    let within = tripline(folder.path(), &["validate", "--budget", "32s"]).with(0).out;
    assert!(within.contains("notices the outage of a whole slice within 32s"), "{within}");
    let usage = tripline(folder.path(), &["validate", "--budget", "soon"]).with(2).err;
    assert!(usage.contains("soon"), "{usage}");
}

#[test]
fn validate_shows_all_problems_of_a_bad_config_with_their_places() {
    let folder = folder(WELL.replace("name: Shop", "nam: Shop").replace("component: web", "component: wep"));
    let ended = tripline(folder.path(), &["validate"]).with(2);
    for part in ["the configuration is refused", "probes.yaml:2:1", "`name`", "probes.yaml:5:", "`web`"] {
        assert!(ended.err.contains(part), "{part}: {}", ended.err);
    }
    assert_eq!(ended.out, "");
}

#[test]
fn a_config_that_cannot_be_read_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("latin.yaml"), b"name: Shop\nurl: caf\xe9\n").unwrap();
    std::fs::write(path.join("large.yaml"), vec![b'#'; 4 * 1024 * 1024 + 1]).unwrap();
    for (file, said) in [
        ("probes.yaml", "there is no configuration probes.yaml; name yours with --config FILE"),
        ("no/such.yaml", "there is no configuration no/such.yaml"),
        (".", ". is a folder, not a configuration"),
        ("latin.yaml", "latin.yaml:2: this line is not UTF-8; save the file as UTF-8 text"),
        ("large.yaml", "larger than 4 MiB"),
    ] {
        for command in ["validate", "once", "run"] {
            let ended = tripline(path, &[command, "--config", file]).with(2);
            assert!(ended.err.starts_with("tripline: ") && ended.err.contains(said), "{command}: {}", ended.err);
            assert_eq!(ended.out, "", "{command}");
        }
    }
    assert!(!path.join("tripline.db").exists(), "a config that is refused leaves no database behind");
}

/// A page that is there and, for a component of its own with markup in its fault, one that is not.
async fn shop() -> (Server, TempDir) {
    let server = Server::answering(None, std::time::Duration::ZERO, |mut stream, head| {
        Box::pin(async move {
            use tokio::io::AsyncWriteExt;
            let status = if head.starts_with("GET /gone") { "404 Not Found" } else { "200 OK" };
            let _ = stream.write_all(answer(status, "", "<p>\"a\" & b\u{1}</p>").as_bytes()).await;
        })
    })
    .await;
    let text = format!(
        r#"
name: A <shop> & "more"
cohorts: {{customer: [x, y]}}
components: {{web: {{name: Web}}}}
probes:
  home: {{component: web, for_each: [customer], http: {{url: "{0}?c={{{{customer}}}}"}}}}
  gone: {{component: web, http: {{url: "{0}gone?a=1&b=2"}}, expect: ['status == 200 && body == "<&>"']}}
"#,
        server.url("/")
    );
    (server, folder(text))
}

#[tokio::test(flavor = "multi_thread")]
async fn once_shows_a_line_for_each_check_and_exits_with_1_when_one_failed() {
    let (_server, folder) = shop().await;
    let ended = tripline(folder.path(), &["once"]).with(1);
    assert_eq!(ended.out.lines().filter(|line| line.starts_with("ok ")).count(), 2, "{}", ended.out);
    let failed = ended.out.lines().position(|line| line.starts_with("FAIL  gone ")).expect("a failed check");
    assert!(ended.out.lines().nth(failed + 2).unwrap().contains("status was 404"), "{}", ended.out);
    assert!(ended.out.ends_with("\n2 of 3 checks succeeded.\n"), "{}", ended.out);
    assert_eq!(ended.err.lines().filter(|line| !line.starts_with("tripline: WARNING: ")).count(), 0, "{}", ended.err);
    assert!(!folder.path().join("tripline.db").exists(), "a look stores nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn once_makes_only_the_checks_of_the_probes_that_are_named() {
    let (server, folder) = shop().await;
    let ended = tripline(folder.path(), &["once", "--probe", "home"]).with(0);
    assert!(ended.out.ends_with("\n2 of 2 checks succeeded.\n"), "{}", ended.out);
    assert_eq!(server.requests().len(), 2);

    let ended = tripline(folder.path(), &["once", "--probe", "home", "--probe", "hoem"]).with(2);
    assert!(ended.err.contains("there is no probe `hoem` in probes.yaml; did you mean `home`?"), "{}", ended.err);
    assert_eq!(server.requests().len(), 2, "nothing is asked when a name is wrong");
}

#[tokio::test(flavor = "multi_thread")]
async fn once_as_json_is_one_object_a_line() {
    let (_server, folder) = shop().await;
    let ended = tripline(folder.path(), &["once", "--format", "json"]).with(1);
    let lines: Vec<Value> = ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    let gone = lines.iter().find(|line| line["probe"] == "gone").unwrap();
    assert_eq!((&gone["outcome"], &gone["status"]), (&"not_found".into(), &404.into()), "{gone}");
    assert!(gone["fault"].as_str().unwrap().contains("status was 404"), "{gone}");
    let home = lines.iter().find(|line| line["labels"]["customer"] == "x").unwrap();
    assert_eq!((&home["outcome"], &home["fault"]), (&"success".into(), &Value::Null), "{home}");
    assert!(home["milliseconds"]["total"].as_f64().unwrap() > 0.0, "{home}");
}

#[tokio::test(flavor = "multi_thread")]
async fn once_as_junit_is_well_formed_xml_with_the_failures() {
    let (_server, folder) = shop().await;
    let ended = tripline(folder.path(), &["once", "--format", "junit"]).with(1);
    std::fs::write(folder.path().join("junit.xml"), &ended.out).unwrap();
    let script = "import json, sys, xml.etree.ElementTree as tree\n\
                  suite = tree.parse(sys.argv[1]).getroot()\n\
                  print(json.dumps({'suite': suite.attrib, 'cases': [\n\
                  [case.get('name'), [f.attrib | {'text': f.text} for f in case]] for case in suite]}))";
    let read = std::process::Command::new("/usr/bin/python3")
        .args(["-c", script])
        .arg(folder.path().join("junit.xml"))
        .output()
        .unwrap();
    assert!(read.status.success(), "{}\n{}", ended.out, String::from_utf8_lossy(&read.stderr));
    let read: Value = serde_json::from_slice(&read.stdout).unwrap();
    assert_eq!(read["suite"]["name"], "A <shop> & \"more\"");
    assert_eq!((&read["suite"]["tests"], &read["suite"]["failures"]), (&"3".into(), &"1".into()));
    let failed: Vec<&Value> =
        read["cases"].as_array().unwrap().iter().filter(|case| case[1] != Value::Array(vec![])).collect();
    let [gone] = failed[..] else { panic!("{read}") };
    assert_eq!((&gone[0], &gone[1][0]["type"]), (&"gone".into(), &"not_found".into()));
    assert!(gone[1][0]["message"].as_str().unwrap().contains("body == \"<&>\""), "{gone}");
    assert!(gone[1][0]["text"].as_str().unwrap().ends_with("gone?a=1&b=2"), "{gone}");
}

#[test]
fn schema_is_a_json_schema_that_knows_every_key_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let schema: Value = serde_json::from_str(&tripline(folder.path(), &["schema"]).with(0).out).unwrap();
    assert!(schema["$schema"].as_str().unwrap().starts_with("https://json-schema.org/"), "{}", schema["$schema"]);
    assert_eq!(schema["additionalProperties"], false);
    for key in ["name", "components", "probes", "rules", "receivers"] {
        assert!(schema["properties"][key].is_object(), "{key}");
    }
}

#[test]
fn a_probe_that_cannot_be_made_ready_is_a_refused_configuration_for_every_command() {
    let folder = folder(
        "name: Shop
components: {shell: {}}
probes:
  door: {component: shell, ssh: {to: \"shop.example:22\", known_hosts: known}}
",
    );
    let key = "AAAAC3NzaC1lZDI1NTE5AAAAIIt1Dc5lBKCTc8CcnGRgp+g1f3Ze7BKjsbjfPqyWr1tX";
    std::fs::write(folder.path().join("known"), format!("other.example ssh-ed25519 {key}\n")).unwrap();
    for command in ["validate", "once", "run"] {
        let ended = tripline(folder.path(), &[command]).with(2);
        let told = "probes.yaml: probe door: `known_hosts` lists no key of shop.example at port 22";
        assert!(ended.err.contains("the configuration is refused") && ended.err.contains(told), "{}", ended.err);
        assert!(!folder.path().join("tripline.db").exists(), "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_for_which_no_files_are_left_are_void_and_say_so() {
    let server = Server::raw(|stream| {
        Box::pin(async move {
            let _open = stream;
            std::future::pending::<()>().await;
        })
    })
    .await;
    let port = server.address.port();
    let numbers = (0..40).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    let folder = folder(format!(
        "name: Shop
defaults: {{timeout: 3s, retry: {{times: 0}}}}
cohorts: {{n: [{numbers}]}}
components: {{web: {{}}}}
probes:
  page: {{component: web, for_each: [n], http: {{url: \"http://127.0.0.1:{port}/{{{{n}}}}\"}}}}
  named: {{component: web, for_each: [n], http: {{url: \"http://localhost:{port}/{{{{n}}}}\"}}}}
  port: {{component: web, for_each: [n], tcp: {{to: \"127.0.0.1:{port}\", read: line}}}}
"
    ));
    let mut limited = std::process::Command::new("sh");
    let script = "ulimit -n 40 && exec \"$0\" once --format json";
    limited.args(["-c", script, env!("CARGO_BIN_EXE_tripline")]).current_dir(folder.path());
    let ended = Process::start(folder.path(), limited).end(std::time::Duration::from_secs(30));
    let lines: Vec<Value> = ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 120, "{}", ended.err);
    let files = "too many files are open in this process; raise the limit (ulimit -n)";
    for probe in ["page", "named", "port"] {
        let of = || lines.iter().filter(|line| line["probe"].as_str().unwrap().starts_with(probe));
        assert!(of().any(|line| line["outcome"] == "internal" && line["fault"] == files), "{probe}: {}", ended.out);
        for line in of().filter(|line| line["fault"] != files) {
            assert_eq!(line["outcome"], "timeout", "{line}");
        }
    }
}
