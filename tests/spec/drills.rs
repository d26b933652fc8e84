//! Drills: every scenario of `tests/drills` is played and held against what it expects; mistakes in scenarios are told
//! at their place; and the same seed gives the same report.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tripline::config::{Config, load};
use tripline::drill::scenario::{self, Wanted};
use tripline::drill::{self, Drive, Scenario, Take};
use tripline::model::{CheckResult, FailureClass, Outcome, Phases, Timestamp};

use crate::given::{Nothing, side_by_side};
use crate::terminal::{Process, command, tripline};

mod jobs;
mod messages;
mod people;
mod process;
mod told;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).into()
}

fn config(path: &Path) -> Result<Arc<Config>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    load("probes.yaml", &text, &Nothing).map(Arc::new).map_err(|problems| problems.to_string())
}

fn read(path: &Path) -> (Scenario, Arc<Config>) {
    let text = std::fs::read_to_string(path).unwrap();
    let beside = |wanted: Wanted<'_>| match wanted {
        Wanted::First(named) => config(&path.parent().unwrap().join(named.unwrap())),
        Wanted::Next(named) => config(&path.parent().unwrap().join(named)),
    };
    scenario::read(&path.display().to_string(), &text, &Nothing, &beside)
        .unwrap_or_else(|problems| panic!("{problems}"))
}

/// A scenario in these words, about the repository's own configuration without its slow rules.
fn scene(text: &str) -> (Scenario, Arc<Config>) {
    scene_of("forge.yaml", text)
}

/// A scenario in these words, about this configuration of `tests/drills/configs`.
fn scene_of(name: &str, text: &str) -> (Scenario, Arc<Config>) {
    let folder = root().join("tests/drills/configs");
    let own = |wanted: Wanted<'_>| match wanted {
        Wanted::First(_) => config(&folder.join(name)),
        Wanted::Next(named) => config(&folder.join(named)),
    };
    scenario::read("scene.yaml", text, &Nothing, &own).unwrap_or_else(|problems| panic!("{problems}"))
}

fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    files.sort();
    files
}

fn take(seed: u64) -> Take {
    Take { seed, shift: Duration::ZERO }
}

#[test]
fn every_drill_comes_out_as_expected() {
    let files = yaml_files("tests/drills");
    assert!(files.len() >= 15, "the drills are found: {}", files.len());
    let missed = side_by_side(&files, |file| {
        let (scenario, config) = read(file);
        let report = drill::run(&config, &scenario, take(scenario.seed));
        assert!(!report.verdicts.is_empty(), "{} expects nothing", file.display());
        let (name, seed) = (file.file_name().unwrap().to_string_lossy(), scenario.seed);
        let missed = report.verdicts.iter().filter(|verdict| !verdict.met).map(|verdict| {
            format!("{name} (seed {seed}): {}: expected {}, found {}", verdict.about, verdict.expected, verdict.found)
        });
        missed.collect::<Vec<_>>()
    })
    .concat();
    assert!(missed.is_empty(), "\n{}\n", missed.join("\n"));
}

/// What Tripline is for: noticed in seconds instead of eight minutes, as one incident that says who is hit.
#[test]
fn the_outage_of_2025_02_11_is_told_in_time_once_and_rightly_in_each_of_200_runs() {
    let text = std::fs::read_to_string(root().join("probes.yaml")).unwrap();
    let silent: Vec<&str> = text.lines().filter(|line| !line.trim().starts_with("remind:")).collect();
    let config = Arc::new(load("probes.yaml", &silent.join("\n"), &Nothing).unwrap());
    let (scenario, _) = read(&root().join("tests/drills/outage-2025-02-11.yaml"));
    let mut summary = drill::Summary::default();
    let takes: Vec<Take> = Take::all(&config, &scenario, None, 200).collect();
    let reports = side_by_side(&takes, |take| drill::run(&config, &scenario, *take));
    for (take, report) in takes.iter().zip(reports) {
        assert_eq!((report.incidents.len(), report.notifications.len()), (1, 2), "{take:?}");
        let finding = &report.incidents[0].incident.finding;
        let factor = finding.factor.as_ref().unwrap();
        let values: Vec<&str> = factor.values.iter().map(|value| value.as_str()).collect();
        assert_eq!(
            (factor.label.as_str(), &values[..], &factor.and),
            ("workspace", &["globex"][..], &None),
            "{take:?}"
        );
        let components: Vec<&str> = finding.components.iter().map(|component| component.as_str()).collect();
        assert_eq!(components, ["api", "git-https", "git-ssh", "website"], "{take:?}");
        assert_eq!(finding.failure, Some(FailureClass::NotFound), "{take:?}");
        summary.add(&report);
    }
    let (detected, resolved) = (summary.detected().unwrap(), summary.resolved().unwrap());
    println!("detected: {detected:?}\nresolved: {resolved:?}");
    assert_eq!((detected.runs, resolved.runs), (200, 200));
    assert!(detected.median <= Duration::from_secs(20) && detected.worst <= Duration::from_secs(40));
    assert!(resolved.worst <= Duration::from_secs(180));
}

/// `BLESS=1` writes what is said now beside each mistake; then read the difference with care.
#[test]
fn each_mistake_in_a_scenario_is_told_with_its_place_and_its_remedy() {
    let bless = std::env::var_os("BLESS").is_some();
    let small = Arc::new(
        load(
            "probes.yaml",
            "name: Shop
cohorts: {team: [red, blue]}
components: {website: {name: Website}, api: {name: API}}
probes:
  home: {component: website, for_each: [team], http: {url: \"https://shop.example/{{team}}\"}}
  list: {component: api, http: {url: \"https://shop.example/api\"}}
receivers:
  oncall: {email: {from: shop@shop.example, to: [ada@shop.example], smtp: \"smtp://127.0.0.1:2525\"}}
",
            &Nothing,
        )
        .unwrap(),
    );
    let given = |wanted: Wanted<'_>| match wanted {
        Wanted::First(None) | Wanted::Next("small.yaml") => Ok(Arc::clone(&small)),
        Wanted::First(Some(named)) | Wanted::Next(named) => Err(format!("there is no configuration {named}")),
    };
    let files = yaml_files("tests/drills/bad");
    assert!(files.len() >= 70, "the mistakes are found: {}", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let told = match scenario::read(&name, &text, &Nothing, &given) {
            Ok(_) => format!("{name} is accepted\n"),
            Err(problems) => {
                let one = problems.count() == 1 || name.starts_with("several");
                assert!(one, "{name} has more than one mistake:\n{problems}");
                problems.to_string()
            }
        };
        let beside = path.with_extension("txt");
        if bless {
            std::fs::write(&beside, &told).unwrap();
        }
        let expected = std::fs::read_to_string(&beside).unwrap_or_default();
        if told != expected {
            wrong.push(format!("--- {name}: expected\n{expected}--- but it says\n{told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_same_seed_gives_the_same_report_and_another_seed_another() {
    let (scenario, config) = scene(
        "{name: Chance, length: 20m, noise: 3%, expect: {missed: 0},
          faults: [{from: 5m, until: 10m, failure: server_error, share: 40%}]}",
    );
    let once = drill::run(&config, &scenario, take(7));
    assert_eq!(once, drill::run(&config, &scenario, take(7)));
    assert_ne!(once.counts, drill::run(&config, &scenario, take(8)).counts);
    assert!(once.counts.failed > 40, "{:?}", once.counts);
}

#[test]
fn a_fault_changes_nothing_that_it_does_not_hit() {
    let noisy = "name: Noise, length: 30m, noise: 5%, expect: {missed: 0}";
    let (calm, config) = scene(&format!("{{{noisy}}}"));
    let (hit, _) = scene(&format!(
        "{{{noisy}, faults: [{{from: 10m, until: 20m, over: {{components: [signup]}}, failure: dns}}]}}"
    ));
    let (calm, hit) = (drill::run(&config, &calm, take(1)), drill::run(&config, &hit, take(1)));
    // Thirty checks of one probe in ten minutes, of which noise may have hit some already.
    let more = hit.counts.failed - calm.counts.failed;
    assert!((25..=30).contains(&more), "{more}");
}

#[test]
fn noise_and_shares_come_as_often_as_they_are_written() {
    let (scenario, config) = scene(
        "{name: Shares, length: 10h, noise: 2%, expect: {missed: 0},
          faults: [{from: 5h, over: {components: [signup]}, failure: server_error, share: 30%}]}",
    );
    let report = drill::run(&config, &scenario, take(1));
    // 19 probes, 180 checks an hour each: 2% of 34,200, and 28% more of 900 (30% of those that noise had left).
    assert_eq!(report.counts.checks / 1_000, 34);
    let expected = 34_200.0 * 0.02 + 900.0 * 0.3;
    let found = report.counts.failed as f64;
    // Five standard deviations, of about the root of what is expected.
    assert!((found - expected).abs() < 5.0 * f64::sqrt(expected), "{found} of {expected}");
}

#[test]
fn a_check_that_does_not_come_is_no_failure_and_is_counted_by_itself() {
    let (scenario, config) = scene(
        "{name: Silence, length: 20m, expect: {incidents: 0},
          faults: [{from: 10m, over: {components: [signup]}, missing: true}]}",
    );
    let report = drill::run(&config, &scenario, take(1));
    assert_eq!((report.counts.failed, report.missing), (0, 30));
    assert_eq!(report.counts.checks + report.missing, 19 * 60);
    assert!(report.is_met());
}

#[test]
fn a_machine_without_network_fails_every_check_at_the_network() {
    let (scenario, config) =
        scene("{name: Unplugged, length: 20m, expect: {missed: 0}, offline: [{from: 10m, until: 12m}]}");
    let report = drill::run(&config, &scenario, take(1));
    // Six turns of 19 probes; a first try that failed is retried, and one in the last seconds then succeeds.
    let failed = report.counts.failed + report.counts.void;
    assert!((19 * 6 - 19..=19 * 6).contains(&failed), "{:?}", report.counts);
    assert_eq!(report.counts.again, 19 * 6);
    assert!(report.incidents.iter().all(|played| played.incident.finding.failure != Some(FailureClass::ServerError)));
}

#[test]
fn a_certificate_that_runs_out_fails_from_then_on() {
    let (scenario, config) = scene(
        "{name: Forgotten, length: 30m, expect: {missed: 0},
          faults: [{from: 0s, over: {components: [signup]}, certificate: 20m}]}",
    );
    let report = drill::run(&config, &scenario, take(1));
    assert_eq!(report.counts.failed, 30);
    let failures = report.incidents.iter().map(|played| played.incident.finding.failure);
    assert!(failures.into_iter().any(|failure| failure == Some(FailureClass::Tls)), "{:?}", report.incidents);
    assert!(report.missed.is_empty());
}

#[test]
fn an_incident_while_nothing_is_wrong_is_a_false_alarm_and_a_fault_nobody_sees_is_missed() {
    let (scenario, config) = scene(
        "{name: Upside down, length: 40m, noise: {blips: {every: 40m, for: 2m}},
          faults: [{from: 39m, until: 39m1s, over: {components: [signup]}, failure: dns}],
          expect: {false_alarms: 0, missed: 0}}",
    );
    let report = drill::run(&config, &scenario, take(1));
    assert_eq!((report.false_alarms, &report.missed[..]), (1, &[0][..]));
    assert_eq!((report.is_met(), report.detected), (false, None));
}

#[test]
fn runs_differ_in_their_seeds_and_in_where_the_faults_begin_between_two_checks() {
    let (scenario, config) = read(&root().join("tests/drills/outage-2025-02-11.yaml"));
    let takes: Vec<Take> = Take::all(&config, &scenario, Some(5), 4).collect();
    let seconds: Vec<(u64, u64)> = takes.iter().map(|take| (take.seed, take.shift.as_secs())).collect();
    assert_eq!(seconds, [(5, 0), (6, 5), (7, 10), (8, 15)]);
    for take in takes {
        let report = drill::run(&config, &scenario, take);
        assert!(report.is_met(), "{take:?}: {:?}", report.verdicts);
    }
}

#[test]
fn a_drive_can_be_fed_results_by_hand() {
    let config = config(&root().join("probes.yaml")).unwrap();
    let start = Timestamp::from_millis(1_739_288_460_000);
    let mut drive = Drive::new(&config, start);
    let mut now = start;
    for _ in 0..4 {
        now = now + Duration::from_secs(15);
        for probe in config.probes.iter().filter(|probe| probe.component.as_str() == "signup") {
            let total = Duration::from_millis(80);
            let mut result = CheckResult::void(
                probe.id.clone(),
                config.location.clone(),
                now - total,
                tripline::model::VoidReason::Internal,
            );
            result.outcome = Outcome::Failure(FailureClass::Connect);
            result.phases = Phases { total, ..Phases::default() };
            drive.result(result, now);
        }
    }
    assert_eq!((drive.counts().failed, drive.incidents().len(), drive.owed().len()), (4, 1, 1));
    // Ten minutes without a check decide nothing; the reminder is owed half an hour after the mail.
    drive.pass(now + Duration::from_secs(600));
    assert_eq!(drive.owed().len(), 1);
    drive.pass(now + Duration::from_secs(1_801));
    assert_eq!(drive.owed().len(), 2);
}

const SHORT: &str = "name: Sign-up is down
config: probes.yaml
length: 20m
faults: [{from: 5m, until: 10m, over: {components: [signup]}, failure: not_found}]
expect: {incidents: 1, factor: {component: signup, failure: not_found}, detected_within: 70s}
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("probes.yaml"), include_str!("../drills/configs/forge.yaml")).unwrap();
    std::fs::write(folder.path().join("well.yaml"), SHORT).unwrap();
    let missed = SHORT.replace("70s", "1s");
    std::fs::write(folder.path().join("missed.yaml"), missed).unwrap();
    folder
}

#[test]
fn the_command_shows_what_happened_and_exits_with_1_when_an_expectation_is_missed() {
    let folder = folder();
    let ended = tripline(folder.path(), &["drill", "well.yaml"]).with(0);
    for part in
        ["Sign-up is down (well.yaml)", "FAULT     not_found for signup", "INCIDENT", "RESOLVED", "✓ incidents"]
    {
        assert!(ended.out.contains(part), "{part}: {}", ended.out);
    }
    assert!(!ended.out.contains("[Example Forge]"), "{}", ended.out);
    let ended = tripline(folder.path(), &["drill", "-v", "well.yaml", "missed.yaml"]).with(1);
    assert!(ended.out.contains("[Example Forge] MAJOR: 404 Not Found for Signup"), "{}", ended.out);
    assert!(ended.out.contains("✗ detected_within  expected 1s"), "{}", ended.out);
    assert_eq!(ended.err, "");
}

#[test]
fn many_runs_are_summed_up_and_say_how_to_repeat_the_first_that_missed() {
    let folder = folder();
    let ended = tripline(folder.path(), &["drill", "well.yaml", "--runs", "10"]).with(0);
    for part in ["10 runs", "time to detect   best ", ", worst ", "10 of 10 runs met every expectation"] {
        assert!(ended.out.contains(part), "{part}: {}", ended.out);
    }
    let ended = tripline(folder.path(), &["drill", "missed.yaml", "--runs", "10", "--seed", "4"]).with(1);
    assert!(ended.out.contains("✗ 0 of 10 runs met every expectation"), "{}", ended.out);
    assert!(ended.out.contains("the first that did not (--seed 4)"), "{}", ended.out);
}

#[test]
fn the_command_prints_the_same_json_for_the_same_seed_to_the_byte() {
    let folder = folder();
    let drill =
        |seed: &str| tripline(folder.path(), &["drill", "well.yaml", "--json", "--seed", seed, "--runs", "2"]);
    let once = drill("9").with(0).out;
    assert_eq!(once, drill("9").with(0).out);
    assert_ne!(once, drill("10").with(0).out);
    let told: serde_json::Value = serde_json::from_str(&once).unwrap();
    assert_eq!(told["summary"]["runs"], 2);
    assert_eq!(told["runs"][1]["seed"], 10);
    assert_eq!(told["runs"][0]["incidents"][0]["factor"]["values"][0], "signup");
    assert_eq!(told["runs"][0]["notifications"][0]["kind"], "opened");
}

#[test]
fn junit_has_a_case_for_each_scenario_with_what_was_missed() {
    let folder = folder();
    tripline(folder.path(), &["drill", "well.yaml", "missed.yaml", "--junit", "report.xml"]).with(1);
    let document = std::fs::read_to_string(folder.path().join("report.xml")).unwrap();
    assert!(document.contains("tests=\"2\" failures=\"1\""), "{document}");
    assert!(document.contains("detected_within: expected 1s, found "), "{document}");
}

#[test]
fn a_config_named_in_the_arguments_comes_before_the_scenario_s_and_one_in_the_environment_does_not() {
    let folder = folder();
    let path = folder.path();
    std::fs::rename(path.join("probes.yaml"), path.join("other.yaml")).unwrap();
    let ended = tripline(path, &["drill", "well.yaml"]).with(2);
    assert!(ended.err.contains("well.yaml:2:9: there is no configuration probes.yaml"), "{}", ended.err);
    tripline(path, &["drill", "well.yaml", "--config", "other.yaml"]).with(0);
    tripline(path, &["--config", "other.yaml", "drill", "well.yaml"]).with(0);
    let run = command(path, &["drill", "well.yaml"], &[("TRIPLINE_CONFIG", "other.yaml")]);
    Process::start(path, run).end(Duration::from_secs(30)).with(2);
}

#[test]
fn a_scenario_that_is_refused_is_told_with_its_problems_and_plays_nothing() {
    let folder = folder();
    std::fs::write(folder.path().join("bad.yaml"), SHORT.replace("not_found}]", "notfound}]")).unwrap();
    let ended = tripline(folder.path(), &["drill", "well.yaml", "bad.yaml"]).with(2);
    for part in ["the scenario is refused", "bad.yaml:4:", "did you mean `not_found`?"] {
        assert!(ended.err.contains(part), "{part}: {}", ended.err);
    }
    assert_eq!(ended.out, "");
    let ended = tripline(folder.path(), &["drill", "nowhere.yaml"]).with(2);
    assert!(ended.err.contains("the scenario nowhere.yaml cannot be read"), "{}", ended.err);
    std::fs::write(folder.path().join("probes.yaml"), "name: Shop\n").unwrap();
    let ended = tripline(folder.path(), &["drill", "well.yaml"]).with(2);
    assert!(ended.err.contains("probes.yaml is refused") && ended.err.contains("`components`"), "{}", ended.err);
}
