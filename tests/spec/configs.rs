//! probes.yaml: each file of `tests/configs` has one mistake, and beside it stands what is said about it.

mod schema;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tripline::config::{Config, Outside, Problems, load};

/// An outside of two variables and a few files.
struct Fixed;

impl Outside for Fixed {
    fn env(&self, name: &str) -> Option<String> {
        match name {
            "TOKEN" => Some("s3cr3t-t0ken".into()),
            "MAIL_URL" => Some("smtp://robot:hunter2%21@mail.forge.example?tsl=none".into()),
            _ => None,
        }
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        match path {
            "client.pem" => Ok(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec()),
            "not-a-certificate.pem" => Ok(b"hello".to_vec()),
            _ => Err("no such file".into()),
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).into()
}

fn own() -> String {
    std::fs::read_to_string(root().join("probes.yaml")).unwrap()
}

fn read(text: &str) -> Result<Config, Problems> {
    load("probes.yaml", text, &Fixed)
}

/// `BLESS=1` writes what is said now beside each mistake; then read the difference with care.
#[test]
fn each_mistake_is_told_with_its_place_and_its_remedy() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut count = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(root().join("tests/configs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        count += 1;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let told = match load(&name, &std::fs::read_to_string(&path).unwrap(), &Fixed) {
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
    assert!(count >= 35, "only {count} mistakes were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_problem_shows_a_secret() {
    for entry in std::fs::read_dir(root().join("tests/configs")).unwrap() {
        let path = entry.unwrap().path();
        let told = std::fs::read_to_string(&path).unwrap();
        if path.extension().is_some_and(|extension| extension == "txt") {
            assert!(!told.contains("s3cr3t") && !told.contains("hunter2"), "{}", path.display());
        }
    }
}

#[test]
fn the_own_configuration_is_sound() {
    let config = read(&own()).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.name, "Example Forge");
    assert_eq!(config.components.len(), 12);
    assert_eq!(config.probes.len(), 4 * 4 + 10);
    let ids: Vec<&str> = config.probes.iter().map(|probe| probe.id.as_str()).collect();
    assert_eq!(ids[1], "dashboard[workspace=globex]");
    assert!(ids.contains(&"sign-up"));
    assert_eq!(config.rules.len(), 6, "a rule by burn rate is one for each pair of windows");
    assert!(config.rules.iter().all(|rule| !rule.built_in && rule.tell.len() == 1));
    assert_eq!(config.warnings, Vec::<String>::new());
    let unwatched = config.components.iter().find(|c| config.probes.iter().all(|probe| probe.component != c.id));
    assert_eq!(unwatched, None);
}

#[test]
fn tls_options_of_defaults_are_those_of_kinds_that_say_nothing_of_them() {
    let text = "name: Forge
defaults: {tls: {skip_verify: true}}
components: {website: {}}
probes:
  silent: {component: website, http: {url: \"https://forge.example/\"}}
  empty: {component: website, grpc: {to: \"forge.example:443\", tls: {}}}
  clear: {component: website, grpc: {to: \"forge.example:80\"}}
  names: {component: website, dns: {name: forge.example}}
  step:
    component: website
    flow: {steps: [{name: one, http: {url: \"https://forge.example/\"}}]}
";
    let config = read(text).unwrap_or_else(|problems| panic!("{problems}"));
    let warned = config.warnings.iter().filter(|warning| warning.contains("does not verify certificates"));
    let names: Vec<&str> = warned.filter_map(|warning| warning.split_whitespace().nth(2)).collect();
    assert_eq!(names, ["silent", "empty", "step"]);
}

#[test]
fn a_config_without_rules_gets_the_built_in_ones() {
    let config = read(MINIMAL).unwrap();
    let ids: Vec<&str> = config.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["unusual-failures", "probe-down"]);
    assert!(config.rules.iter().all(|rule| rule.built_in));
    assert_eq!(config.warnings, ["there are no receivers: incidents are recorded, and nobody is told"]);
}

#[test]
fn former_ids_lead_to_those_that_go_on_and_the_parts_of_a_rule_each_to_its_own() {
    let rules = "rules:
  surge: {formerly: [budget, 7], burn_rate: {objective: 99%, windows: [{long: 1h, short: 5m, factor: 14.4}]}}
";
    let text = format!("{MINIMAL}{rules}").replace("home: {", "home: {formerly: page, ");
    let config = read(&text).unwrap_or_else(|problems| panic!("{problems}"));
    let rules: Vec<String> = config.formerly.rules.iter().map(|(from, to)| format!("{from} {to}")).collect();
    assert_eq!(rules, ["7[1h] surge[1h]", "budget[1h] surge[1h]"]);
    let home = config.probes.indexed().next().map(|(index, _)| index);
    assert_eq!(config.probe_index(&"page".into()), home);
    assert_eq!(config.probe_index(&"page[team=a]".into()), None, "that had labels");
    let ids: Vec<_> = config.formerly.ids_of(&config.probes[0]).map(|id| id.to_string()).collect();
    assert_eq!(ids, ["home", "page"]);
}

const MINIMAL: &str = "name: Forge
components: {website: {}}
probes:
  home: {component: website, http: {url: https://forge.example/}}
";

#[test]
fn labels_are_filled_in_and_percent_encoded_where_a_url_needs_it() {
    let config = read(
        "name: Forge
cohorts: {team: [\"a b/c\", d]}
components: {website: }
probes:
  home:
    component: website
    for_each: [team]
    labels: {region: eu}
    http:
      url: https://{{region}}.forge.example/{{team}}?q={{ team }}
      headers: {X-Team: \"{{team}} of {{component}}\", Authorization: plain, x-token: \"${env:TOKEN}\"}
      body: \"{{team}} $${env:TOKEN}\"
",
    )
    .unwrap();
    let probe = &config.probes[0];
    assert_eq!(probe.id.as_str(), "home[team=a b/c]");
    assert_eq!(probe.labels.len(), 2);
    let tripline::model::ProbeKind::Http(http) = &probe.kind else { panic!("it asks by HTTP") };
    assert_eq!(http.url.as_str(), "https://eu.forge.example/a%20b%2Fc?q=a%20b%2Fc");
    assert_eq!(http.headers["x-team"], "a b/c of website");
    assert!(http.headers["authorization"].is_sensitive() && http.headers["x-token"].is_sensitive());
    assert!(!http.headers["x-team"].is_sensitive());
    assert_eq!(http.headers["x-token"], "s3cr3t-t0ken");
    assert_eq!(http.body, "a b/c ${env:TOKEN}");
    assert_eq!(config.secrets.redact("it is s3cr3t-t0ken"), "it is [secret]");
    let tripline::model::ProbeKind::Http(other) = &config.probes[1].kind else { panic!("it asks by HTTP") };
    assert!(std::sync::Arc::ptr_eq(&http.tls, &other.tls));
    assert!(!format!("{config:?}").contains("s3cr3t"));
}

#[test]
fn a_condition_on_the_failure_class_alone_needs_no_cel() {
    use tripline::model::{Bad, FailureClass, RuleKind};
    let bad = |bad: &str| {
        let text = format!("{MINIMAL}rules:\n  spike: {{bad: {bad}, above: 5%, within: 4m}}\n");
        let config = read(&text).unwrap_or_else(|problems| panic!("{problems}"));
        match config.rules[0].kind.clone() {
            RuleKind::ErrorRate(rate) => {
                assert_eq!((rate.clear.below.to_string(), rate.clear.hold), ("2.5%".into(), rate.within));
                rate.bad
            }
            other => panic!("not an error rate: {other:?}"),
        }
    };
    assert!(matches!(bad("'failure == \"not_found\"'"), Bad::Class(FailureClass::NotFound)));
    assert!(matches!(bad("\"failure=='timeout'\""), Bad::Class(FailureClass::Timeout)));
    assert!(matches!(bad("'failure == \"dns\" || failure == \"tls\"'"), Bad::When(_)));
    assert!(matches!(bad("'failure != \"\"'"), Bad::When(_)));
}

#[test]
fn what_is_dangerous_is_said_loudly() {
    let text = MINIMAL.replace("https://forge.example/", "https://forge.example/, tls: {skip_verify: true}");
    let loud = "the probe home does not verify certificates: `skip_verify` is set";
    assert_eq!(read(&text).unwrap().warnings[0], loud);
}

#[test]
fn a_secret_is_hidden_in_the_forms_that_urls_and_others_give_it_too() {
    struct Odd;
    impl Outside for Odd {
        fn env(&self, _: &str) -> Option<String> {
            Some("a b?c'/d".into())
        }
        fn file(&self, _: &str) -> Result<Vec<u8>, String> {
            Err("no such file".into())
        }
    }
    let inner = "https://forge.example/}";
    let text = MINIMAL.replace(inner, "https://forge.example/, headers: {x-token: \"${env:TOKEN}\"}}");
    let secrets = load("probes.yaml", &text, &Odd).unwrap().secrets;
    for form in ["a b?c&#39;/d", "a b?c&#x27;/d", r"a b?c\u0027\/d", "a+b%3Fc%27%2Fd", "a%20b%3Fc%27%2Fd"] {
        assert_eq!(secrets.redact(&format!("<{form}>")), "<[secret]>", "{form}");
    }
    let text = MINIMAL.replace("https://forge.example/", "\"https://forge.example/x?token=${env:TOKEN}\"");
    let config = load("probes.yaml", &text, &Odd).unwrap();
    let tripline::model::ProbeKind::Http(http) = &config.probes[0].kind else { panic!("it asks by HTTP") };
    assert_eq!(config.secrets.redact(http.url.as_str()), "https://forge.example/x?token=[secret]");
}

#[test]
fn anchors_aliases_and_merge_keys_work() {
    let config = read(
        "name: Forge
components: {website: }
probes:
  one: &one {component: website, interval: 1m, timeout: 5s, http: {url: https://forge.example/}}
  two: {<<: *one, interval: 2m}
",
    )
    .unwrap();
    let every: Vec<_> =
        config.probes.iter().map(|probe| format!("{:?} {:?}", probe.cadence, probe.timeout)).collect();
    assert_eq!(every, ["Every(60s) 5s", "Every(120s) 5s"]);
}

#[test]
fn a_mail_server_is_a_url_and_a_mail_address_has_a_name_in_any_script() {
    let mail = |smtp: &str| {
        let receiver = format!(
            "receivers: {{a: {{email: {{from: \"Jürgen Müller <j@forge.example>\", to: [b@forge.example], smtp: \"{smtp}\"}}}}}}\n"
        );
        let config = read(&format!("{MINIMAL}{receiver}")).unwrap_or_else(|problems| panic!("{problems}"));
        let tripline::model::ReceiverKind::Email(email) = config.receivers.values().next().unwrap().kind.clone();
        assert_eq!(email.from.name.as_deref(), Some("Jürgen Müller"));
        let login = email.smtp.login.map(|(user, password)| {
            use secrecy::ExposeSecret;
            format!("{user} {}", password.expose_secret())
        });
        let shown = format!("{} {} {:?}", email.smtp.host, email.smtp.port, email.smtp.security);
        (shown, login.unwrap_or_default(), config.warnings)
    };
    let loud = vec!["the receiver a sends mail unprotected: `tls=none` is set".to_owned()];
    assert_eq!(
        mail("smtps://j%40forge.example:p%3Aw@mail.forge.example"),
        ("mail.forge.example 465 Implicit".into(), "j@forge.example p:w".into(), vec![])
    );
    assert_eq!(mail("smtp://mail.forge.example"), ("mail.forge.example 587 StartTls".into(), String::new(), vec![]));
    assert_eq!(mail("smtp://mail.forge.example:26?tls=none").0, "mail.forge.example 26 Plain");
    assert_eq!(mail("smtp://mail.forge.example?tls=none").2, loud);
    assert_eq!(mail("smtp://[::1]?tls=none"), ("::1 25 Plain".into(), String::new(), vec![]));
}

#[test]
fn a_file_that_unfolds_without_end_or_is_deep_or_huge_is_refused() {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let deep: String = (0..5_000).map(|depth| format!("{}a:\n", " ".repeat(depth % 700))).collect();
    let huge = format!("# {}\n{MINIMAL}", "x".repeat(5 << 20));
    for (text, told) in [
        (bomb, "unfold to too much"),
        ("[".repeat(100_000), "nested deeper"),
        ("{a: ".repeat(100_000), "nested deeper"),
        ("- ".repeat(100_000), "nested deeper"),
        (deep, "nested deeper"),
        (huge, "at most 4194304 are read"),
    ] {
        let problems = read(&text).unwrap_err().to_string();
        assert!(problems.contains(told), "{problems}");
    }
}

#[test]
fn more_probes_than_one_daemon_can_ask_are_refused() {
    let values: Vec<String> = (0..400).map(|number| number.to_string()).collect();
    let values = values.join(", ");
    let text = format!(
        "name: Forge\ncohorts: {{a: [{values}], b: [{values}]}}\ncomponents: {{website: }}\nprobes:\n  home: \
         {{component: website, for_each: [a, b], http: {{url: \"https://forge.example/{{{{a}}}}/{{{{b}}}}\"}}}}\n"
    );
    let problems = read(&text).unwrap_err().to_string();
    assert!(problems.contains("more than 100000 probes"), "{problems}");
}

/// Changes a text at some places: cuts, doubles, or puts something in.
fn mutated() -> impl Strategy<Value = String> {
    let scraps = prop::sample::select(vec![
        "", "\t", "\n", ":", ": ", "{", "}", "[", "]", "- ", "*a", "&a ", "<<: *a", "${env:X}", "{{", "}}", "${",
        "\"", "'", "|", ">", "!", "#", "null", "0", "-1", "1e999", "%", "ä", "\u{feff}", "\u{0}", "\r", "? ",
        "---\n", "5%", "9d", "http",
    ]);
    prop::collection::vec((any::<prop::sample::Index>(), 0usize..40, scraps), 1..6).prop_map(|changes| {
        let mut text: Vec<char> = own().chars().collect();
        for (at, cut, scrap) in changes {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, scrap.chars());
        }
        text.into_iter().collect()
    })
}

/// Cargo.lock chooses the crate that maps the names (`idna_adapter`): 1.1 compiles sooner, and knows the characters of
/// Unicode 16. Both 1.1 and 1.2 give these.
#[test]
fn hosts_in_any_script_are_asked_by_the_names_that_dns_knows() {
    let asked = |host: &str| {
        let text = format!(
            "name: Scripts\ncomponents: {{website: {{}}}}\nprobes: {{page: {{component: website, http: {{url: \"https://{host}/\"}}}}}}\n"
        );
        read(&text).map(|config| config.probes[0].kind.host().to_owned())
    };
    for (host, name) in [
        ("b\u{fc}cher.example", "xn--bcher-kva.example"),
        ("BU\u{308}CHER.example", "xn--bcher-kva.example"),
        ("stra\u{df}e.example", "xn--strae-oqa.example"),
        ("ελλάς.example", "xn--hxarsa0b.example"),
        ("例え。example", "xn--r8jz45g.example"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("مثال.إختبار", "xn--mgbh0fb.xn--kgbechtv"),
        ("한국.example", "xn--3e0b707e.example"),
        ("ＦＯＲＧＥ.example", "forge.example"),
        ("क्\u{200d}ष.example", "xn--11b2ezcw70k.example"),
    ] {
        assert_eq!(asked(host).unwrap_or_else(|problems| panic!("{problems}")), name, "{host}");
    }
    for host in ["ab\u{200d}c.example", "a\u{200f}b.example", "xn--zzzzz---.example"] {
        assert!(asked(host).is_err(), "{host} is no name");
    }
}

fn told_well(text: &str) {
    if let Err(problems) = read(text) {
        assert!(problems.count() > 0);
        let lines = text.lines().count().max(1) + 1;
        assert!(problems.iter().all(|problem| (1..=lines).contains(&problem.line) && problem.column > 0));
        assert!(!problems.to_string().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        told_well(&text);
    }

    #[test]
    fn yaml_like_text_never_panics(text in "([a-z]{1,3}|[:\\-{}\\[\\]&*!|>'\"%@`#,? \n\t])*") {
        told_well(&text);
    }

    #[test]
    fn a_damaged_config_never_panics(text in mutated()) {
        told_well(&text);
    }
}
