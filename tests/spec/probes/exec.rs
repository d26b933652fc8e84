//! Commands: the plugins of the Monitoring Plugins project, and scripts that behave badly.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tripline::model::kind::exec::VARIABLES;
use tripline::model::{
    CheckResult, Condition, ExecTarget, FailureClass, Location, Outcome, Probe, ProbeKind, Secrets, Timestamp,
    VoidReason,
};
use tripline::probe::{Prober, Roots};

use super::{check_with, class_and_fault, failure, probe, target};
use crate::probes::nth;
use crate::servers::{Server, answer};

const PLUGINS: &str = "/usr/lib/nagios/plugins";

fn command(words: &[&str]) -> ExecTarget {
    ExecTarget {
        program: words[0].into(),
        args: words[1..].iter().map(|word| (*word).to_owned()).collect(),
        env: vec![],
        stdin: Bytes::new(),
        warning_fails: false,
        unknown_fails: false,
    }
}

fn shell(script: &str) -> ExecTarget {
    command(&["/bin/sh", "-c", script])
}

fn asking(exec: ExecTarget, timeout: Duration, expect: &[&str]) -> Probe {
    let expect: Vec<Condition> = expect.iter().map(|source| Condition::parse(source, VARIABLES).unwrap()).collect();
    let kind = ProbeKind::Exec(exec);
    Probe { kind, expect: expect.into(), ..probe(target("http://127.0.0.1:9/"), timeout, &[]) }
}

async fn run(exec: ExecTarget, expect: &[&str]) -> CheckResult {
    check_with(asking(exec, Duration::from_secs(5), expect), Secrets::default()).await
}

async fn briefly(exec: ExecTarget) -> CheckResult {
    check_with(asking(exec, Duration::from_millis(500), &[]), Secrets::default()).await
}

/// A plugin of the Monitoring Plugins project; `None`, said by name, where it is not installed. Never so in CI.
fn plugin(name: &str) -> Option<String> {
    let path = format!("{PLUGINS}/{name}");
    if Path::new(&path).exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "CI has {path}: tests/setup installs it");
    println!("SKIPPED: {path} is not installed; tests/setup installs it");
    None
}

#[tokio::test]
async fn a_plugin_of_the_monitoring_plugins_project_is_understood() {
    let (Some(http), Some(dummy)) = (plugin("check_http"), plugin("check_dummy")) else { return };
    let server = Server::fixed(None, answer("200 OK", "", "well")).await;
    let port = server.address.port().to_string();
    let asked = command(&[&http, "-I", "127.0.0.1", "-p", &port, "-u", "/"]);
    let expect = ["exit == 0", "output.startsWith('HTTP OK')", "perf['time'] < 5.0", "perf['size'] > 10"];
    let result = run(asked.clone(), &expect).await;
    assert_eq!((result.outcome, result.status), (Outcome::Success, Some(0)), "{result:?}");
    drop(server);
    let result = run(asked, &expect).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!((class, result.status), (FailureClass::ServerError, Some(2)));
    assert!(fault.starts_with("exit code 2 (CRITICAL): "), "{fault}");
    let missing = Server::fixed(None, answer("404 Not Found", "", "gone")).await;
    let port = missing.address.port().to_string();
    let mut asked = command(&[&http, "-I", "127.0.0.1", "-p", &port]);
    let result = run(asked.clone(), &["perf['time'] >= 0.0"]).await;
    assert_eq!((result.outcome, result.status), (Outcome::Success, Some(1)), "a WARNING is a success: {result:?}");
    asked.warning_fails = true;
    let result = run(asked, &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Expectation);
    assert!(fault.starts_with("exit code 1 (WARNING): HTTP WARNING: HTTP/1.1 404 Not Found"), "{fault}");
    let mut unknown = command(&[&dummy, "3", "nobody knows"]);
    let result = run(unknown.clone(), &[]).await;
    assert_eq!(result.outcome, Outcome::Void(VoidReason::Internal));
    assert_eq!(result.evidence.unwrap().fault, "exit code 3 (UNKNOWN): UNKNOWN: nobody knows");
    unknown.unknown_fails = true;
    let result = run(unknown, &[]).await;
    assert_eq!(class_and_fault(&result), (FailureClass::ClientError, "exit code 3 (UNKNOWN): UNKNOWN: nobody knows"));
}

#[tokio::test]
async fn plugins_that_print_much_data_are_read() {
    for (name, args, label) in [
        ("check_disk", vec!["-w", "0", "-c", "0", "-p", "/"], "/"),
        ("check_load", vec!["-w", "999,999,999", "-c", "999,999,999"], "load1"),
        ("check_procs", vec!["-w", "9999999"], "procs"),
    ] {
        let Some(path) = plugin(name) else { return };
        let words: Vec<&str> = std::iter::once(path.as_str()).chain(args).collect();
        let result = run(command(&words), &[&format!("perf['{label}'] >= 0.0")]).await;
        assert_eq!(result.outcome, Outcome::Success, "{name}: {result:?}");
    }
}

#[tokio::test]
async fn what_is_not_a_plugins_end_is_protocol_and_what_cannot_run_is_void() {
    let result = run(shell("echo odd; exit 7"), &[]).await;
    let said = "exit code 7, which is none of a plugin's (0 to 3): odd";
    assert_eq!(class_and_fault(&result), (FailureClass::Protocol, said));
    let result = run(shell("kill -SEGV $$"), &[]).await;
    let said = "ended by signal 11 (SIGSEGV): it printed nothing";
    assert_eq!(class_and_fault(&result), (FailureClass::Protocol, said));
    let said = |result: CheckResult| {
        assert_eq!(result.outcome, Outcome::Void(VoidReason::Internal), "{result:?}");
        result.evidence.unwrap().fault
    };
    let result = run(command(&["no-such-command-here"]), &[]).await;
    assert_eq!(said(result), "the command `no-such-command-here` was not found");
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display().to_string();
    let result = run(command(&[&path]), &[]).await;
    assert_eq!(said(result), format!("the command `{path}` may not be run: permission denied"));
}

#[tokio::test]
async fn the_command_gets_its_input_and_only_the_environment_that_was_named() {
    let mut asked = shell(
        "cat; env | sort | cut -d= -f1 | grep -v '^_$\\|^PWD$\\|^SHLVL$' | tr '\\n' ' '; echo; echo $TOKEN >&2",
    );
    asked.stdin = "given\n".into();
    asked.env = vec![("TOKEN".into(), "s3cr3t-token".into())];
    assert!(std::env::vars().count() > 3, "there is something to inherit");
    let expect = [r#"output == "given\nLC_ALL PATH TOKEN""#];
    let result = run(asked.clone(), &expect).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    // What it did not read to its end is no fault, however much it was.
    let mut deaf = shell("exit 0");
    deaf.stdin = vec![b'x'; 1 << 20].into();
    assert_eq!(run(deaf, &[]).await.outcome, Outcome::Success);
    asked.args[1].push_str("; exit 2");
    let secrets = Secrets::new(vec!["s3cr3t-token".into()]);
    let result = check_with(asking(asked, Duration::from_secs(5), &[]), secrets).await;
    let evidence = failure(&result).1;
    assert_eq!(evidence.headers, [("stderr".to_owned(), "[secret]".to_owned())]);
    assert_eq!(evidence.body, "given\nLC_ALL PATH TOKEN \n");
}

/// A folder for the process numbers of a script, and whether those processes are gone.
struct Numbers(tempfile::TempDir);

impl Numbers {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("numbers")
    }

    fn all(&self) -> Vec<i32> {
        let text = std::fs::read_to_string(self.file()).unwrap_or_default();
        text.lines().map(|line| line.trim().parse().unwrap()).collect()
    }

    /// Waits until none of at least so many is left.
    async fn all_gone(&self, least: usize) {
        let begun = Instant::now();
        let alive = |number: &i32| {
            // One that nobody has reaped yet has run all the same.
            let state = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
            kill(Pid::from_raw(*number), None::<Signal>).is_ok() && !state.contains(") Z ")
        };
        loop {
            let numbers = self.all();
            assert!(numbers.len() >= least, "{numbers:?}");
            if !numbers.iter().any(alive) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(4), "some are left of {numbers:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn a_timeout_ends_the_whole_group_even_those_that_ignore_sigterm() {
    let numbers = Numbers::new();
    let file = numbers.file().display().to_string();
    let script = format!(
        "trap '' TERM; echo $$ >>{file}; echo begun; sh -c 'echo $$ >>{file}; sleep 60' & \
         sh -c 'trap \"\" TERM; echo $$ >>{file}; sleep 60 & echo $! >>{file}; wait' & wait; wait"
    );
    let result = briefly(shell(&script)).await;
    assert_eq!(class_and_fault(&result), (FailureClass::Timeout, "no answer within 500ms"));
    assert!(result.phases.total < Duration::from_secs(1), "{:?}", result.phases);
    assert_eq!(failure(&result).1.body, "begun\n", "what came is kept");
    numbers.all_gone(4).await;
}

#[tokio::test]
async fn a_command_that_is_told_to_end_may_clean_up() {
    let numbers = Numbers::new();
    let left = numbers.file().display().to_string();
    let result = briefly(shell(&format!("trap 'echo 0 >{left}; exit 2' TERM; sleep 60 & wait"))).await;
    assert_eq!(class_and_fault(&result).0, FailureClass::Timeout);
    let begun = Instant::now();
    while numbers.all() != [0] {
        assert!(begun.elapsed() < Duration::from_secs(3), "its trap ran");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_check_that_is_given_up_leaves_nothing_behind() {
    let numbers = Numbers::new();
    let file = numbers.file().display().to_string();
    let asked = shell(&format!("echo $$ >>{file}; sleep 60 & echo $! >>{file}; wait"));
    let check = tokio::spawn(check_with(asking(asked, Duration::from_secs(30), &[]), Secrets::default()));
    while numbers.all().len() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    check.abort();
    numbers.all_gone(2).await;
}

#[test]
fn a_runtime_that_ends_takes_its_commands_with_it() {
    let numbers = Numbers::new();
    let file = numbers.file().display().to_string();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let asked = shell(&format!("trap '' TERM; echo $$ >>{file}; sleep 60 & echo $! >>{file}; wait; wait"));
    runtime.spawn(check_with(asking(asked, Duration::from_secs(30), &[]), Secrets::default()));
    while numbers.all().len() < 2 {
        std::thread::sleep(Duration::from_millis(20));
    }
    runtime.shutdown_background();
    tokio::runtime::Runtime::new().unwrap().block_on(numbers.all_gone(2));
}

#[tokio::test]
async fn what_a_command_leaves_behind_does_not_hold_its_check_up_and_is_ended() {
    let numbers = Numbers::new();
    let file = numbers.file().display().to_string();
    // Both hold a pipe, or none: they would go on for a minute.
    let script = format!("sleep 60 & echo $! >>{file}; sleep 60 >/dev/null 2>&1 & echo $! >>{file}; echo done");
    let result = run(shell(&script), &["output == 'done'"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{result:?}");
    assert!(result.phases.total < Duration::from_secs(2), "{:?}", result.phases);
    numbers.all_gone(2).await;
}

#[tokio::test]
async fn a_command_that_closes_its_output_and_sleeps_is_waited_for() {
    let result = run(shell("echo early; exec >&- 2>&-; sleep 0.4; exit 2"), &[]).await;
    assert_eq!(class_and_fault(&result), (FailureClass::ServerError, "exit code 2 (CRITICAL): early"));
    let result = briefly(shell("exec >&- 2>&-; sleep 60")).await;
    assert_eq!(class_and_fault(&result), (FailureClass::Timeout, "no answer within 500ms"));
}

#[tokio::test]
async fn endless_output_is_ended_and_much_output_is_drained() {
    let numbers = Numbers::new();
    let file = numbers.file().display().to_string();
    for pipe in ["", ">&2"] {
        let result = run(shell(&format!("echo $$ >>{file}; exec yes {pipe}")), &[]).await;
        assert_eq!(class_and_fault(&result), (FailureClass::Protocol, "it printed more than 16 MiB"));
        assert!(result.phases.total < Duration::from_secs(4), "{:?}", result.phases);
    }
    numbers.all_gone(2).await;
    let much = shell("head -c 8000000 /dev/zero; echo; echo end >&2");
    let result = run(much, &["size(output) == 65536"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence.map(|evidence| evidence.fault));
}

#[tokio::test]
async fn more_commands_than_may_run_at_once_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    // Each leaves a mark while it runs, and counts those that are there.
    let script = format!("cd {}; : > $$; sleep 1; printf %s $(ls | wc -l); rm $$", folder.path().display());
    let expect = ["int(output) <= 64"];
    let probes: Vec<Probe> = (0..100).map(|_| asking(shell(&script), Duration::from_secs(60), &expect)).collect();
    let prober = Prober::new(&probes, Location::local(), Secrets::default(), &Roots::load()).unwrap();
    let start = Timestamp::from_millis(0);
    let results =
        futures_util::future::join_all((0..100).map(|index| prober.check(nth(&prober, index), start))).await;
    for result in results {
        assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence.map(|evidence| evidence.fault));
    }
}

#[tokio::test]
async fn a_command_runs_as_another_user_by_setpriv() {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        println!("SKIPPED: only root can run a command as another user");
        return;
    }
    let other =
        ["/usr/bin/setpriv", "--reuid=nobody", "--regid=nogroup", "--init-groups", "--", "/usr/bin/id", "-un"];
    let result = run(command(&other), &["output == 'nobody'"]).await;
    assert_eq!(result.outcome, Outcome::Success, "{:?}", result.evidence.map(|evidence| evidence.fault));
    // Whoever may not do that learns so, and it is no verdict of the plugin's.
    let mut twice = other[..5].to_vec();
    twice.extend(["/usr/bin/setpriv", "--reuid=root", "--", "/usr/bin/id", "-un"]);
    let result = run(command(&twice), &[]).await;
    let (class, fault) = class_and_fault(&result);
    assert_eq!(class, FailureClass::Protocol, "{fault}");
    assert!(fault.starts_with("exit code 127"), "{fault}");
    let evidence = &failure(&result).1.headers;
    assert!(evidence.iter().any(|(name, said)| name == "stderr" && said.contains("not permitted")), "{evidence:?}");
}

#[tokio::test]
async fn the_next_check_of_the_same_prober_is_not_disturbed() {
    let silent = asking(shell("trap '' TERM; sleep 60"), Duration::from_millis(300), &[]);
    let well = asking(shell("echo fine"), Duration::from_secs(2), &["output == 'fine'"]);
    let prober = Prober::new(&[silent, well], Location::local(), Secrets::default(), &Roots::load()).unwrap();
    for _ in 0..3 {
        assert_eq!(
            prober.check(nth(&prober, 0), Timestamp::default()).await.outcome,
            Outcome::Failure(FailureClass::Timeout)
        );
        assert_eq!(prober.check(nth(&prober, 1), Timestamp::default()).await.outcome, Outcome::Success);
    }
}
