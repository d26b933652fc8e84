use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::{Condition, ConditionFault, Fact, Verdict};

const VARIABLES: [&str; 6] = ["status", "body", "headers", "json", "timing", "url"];

fn parse(source: &str) -> Condition {
    Condition::parse(source, &VARIABLES).unwrap_or_else(|fault| panic!("{source}: {fault:?}"))
}

fn fault(source: &str) -> ConditionFault {
    match Condition::parse(source, &VARIABLES) {
        Ok(_) => panic!("{source} is a condition"),
        Err(fault) => fault,
    }
}

fn map(entries: &[(&str, Fact)]) -> Fact {
    Fact::Map(entries.iter().map(|(name, fact)| ((*name).to_owned(), fact.clone())).collect())
}

fn facts() -> Vec<(&'static str, Fact)> {
    let page = format!("<!doctype html>\n<html><head><title>Sign in to continue</title>{}", "x".repeat(5000));
    let item = |ready| map(&[("ready", Fact::Bool(ready)), ("name", Fact::Text("ä".into()))]);
    vec![
        ("status", Fact::Int(404)),
        ("body", Fact::Text(page.into())),
        ("headers", map(&[("content-type", Fact::Text("text/html".into()))])),
        ("json", map(&[("items", Fact::List(vec![item(true), item(false)])), ("next", Fact::Null)])),
        ("timing", map(&[("total", Fact::Span(Duration::from_millis(2_310)))])),
        ("url", Fact::Text("https://forge.example/".into())),
    ]
}

fn judge(source: &str) -> Verdict {
    parse(source).judge(&facts())
}

fn said(source: &str) -> String {
    match judge(source) {
        Verdict::Fails(text) => text,
        Verdict::Holds => panic!("{source} holds"),
    }
}

#[test]
fn conditions_that_hold_hold() {
    for source in [
        "status == 404",
        "status >= 400 && status < 500",
        "status in [404, 410]",
        "body.contains('Sign in')",
        "body.matches('(?i)^<!DOCTYPE')",
        "matches(body, r'<title>\\w+')",
        "headers['content-type'] == \"text/html\"",
        "'content-type' in headers && !('age' in headers)",
        "!has(headers.age) || int(headers.age) > 5",
        "timing.total < duration('3s') && timing.total > duration(\"2s300ms\")",
        "timing.total + duration('1s') == duration('3s310ms')",
        "json.items.exists(item, item.ready) && json.items[0].name == 'ä'",
        "json.items.all(a, json.items.exists(b, a.name == b.name))",
        "size(json.items.filter(item, item.ready)) == 1",
        "json.next == null",
        "size(body) > 5000 && type(status) == int",
        "url.startsWith('https://')",
    ] {
        assert_eq!(judge(source), Verdict::Holds, "{source}");
    }
}

#[test]
fn a_failure_shows_the_values_that_were_looked_at() {
    assert_eq!(said("status == 200"), "expected status == 200, status was 404");
    assert_eq!(
        said("timing.total < duration(\"2s\")"),
        "expected timing.total < duration(\"2s\"), timing.total was 2.31s"
    );
    assert_eq!(
        said("body.contains(\"Repositories\")"),
        "expected body.contains(\"Repositories\"), \
         body was \"<!doctype html> <html><head><title>Sign in to continue</titl…\" (5062 bytes)"
    );
    assert_eq!(
        said("headers[\"content-type\"] == 'text/plain' && status == 404"),
        "expected headers[\"content-type\"] == 'text/plain' && status == 404, \
         headers[\"content-type\"] was \"text/html\", status was 404"
    );
    assert_eq!(
        said("json.items.all(item, item.ready)"),
        "expected json.items.all(item, item.ready), \
         json.items was [{\"name\": \"ä\", \"ready\": true}, {\"name\": \"ä\", \"ready\": false}…"
    );
    assert_eq!(said("has(headers.age)"), "expected has(headers.age), headers was {\"content-type\": \"text/html\"}");
}

#[test]
fn what_cannot_be_worked_out_fails_with_the_reason_in_plain_words() {
    assert_eq!(said("headers['age'] == '5'"), "expected headers['age'] == '5', but there is no `age`");
    assert_eq!(
        said("timing.total < 2"),
        "expected timing.total < 2, but `<` cannot be applied to duration and int, timing.total was 2.31s"
    );
    assert_eq!(said("json.items[7].ready"), "expected json.items[7].ready, but the list is not that long");
    assert_eq!(said("status"), "expected status, but it is neither true nor false but of type int, status was 404");
    assert_eq!(
        said("1 / (status - 404) == 1"),
        "expected 1 / (status - 404) == 1, but it divides by zero, status was 404"
    );
    let nothing = parse("status == 200").judge(&[]);
    assert_eq!(nothing, Verdict::Fails("expected status == 200, but `status` is not known of this check".into()));
}

#[test]
fn a_secret_is_hidden_before_an_excerpt_could_cut_it() {
    let condition = parse("url == 'x'");
    let secret = "s3cret".repeat(20);
    let facts = [("url", Fact::Text(format!("https://forge.example/?token={secret}").into()))];
    let verdict = condition.judge_hiding(&facts, &|text| text.replace(&secret, "[secret]"));
    let expected = "expected url == 'x', url was \"https://forge.example/?token=[secret]\"";
    assert_eq!(verdict, Verdict::Fails(expected.into()));
}

#[test]
fn only_what_is_looked_at_is_mentioned() {
    let condition = parse("json.items.all(status, status.ready) && body != ''");
    let mentioned: Vec<&str> = VARIABLES.into_iter().filter(|name| condition.mentions(name)).collect();
    assert_eq!(mentioned, ["body", "json"], "the comprehension's own `status` is not the variable");
}

#[test]
fn a_mistake_is_named_with_its_place_and_a_remedy() {
    let cases = [
        ("statsu == 200", Some(0), "there is no variable `statsu`", "did you mean `status`?"),
        ("status == 200 && bdy != ''", Some(17), "there is no variable `bdy`", "did you mean `body`?"),
        ("'ä' == url && bdy == ''", Some(14), "there is no variable `bdy`", "did you mean `body`?"),
        ("status == 200 &&\n  bdy != ''", Some(19), "there is no variable `bdy`", "did you mean `body`?"),
        (
            "frobnicate == 1",
            Some(0),
            "there is no variable `frobnicate`",
            "there are: status, body, headers, json, timing, url",
        ),
        ("body.contain('x')", Some(12), "there is no function `contain`", "did you mean `contains`?"),
        ("timing.total < duration('2 s')", Some(24), "`2 s` has no unit", "write it like 20s, 2m, 1h30m or 250ms"),
        (
            "body.matches('(a')",
            Some(13),
            "`(a` is no regular expression: unclosed group",
            "its syntax is that of https://docs.rs/regex",
        ),
        (
            "body.matches(url)",
            Some(12),
            "the regular expression of `matches` must be a text in quotes",
            "write it like body.matches(\"^v[0-9]+$\")",
        ),
        (
            "json.all(item.ready)",
            Some(8),
            "`all` is not written like this",
            "write it like json.items.all(item, item.ready)",
        ),
        ("status == 200)", Some(13), "`)` closes nothing that is open", "check the brackets"),
        ("(status == 200", Some(0), "`(` is not closed", "close it"),
        ("body == 'x", Some(8), "a quote is not closed", "close it with the same kind of quote"),
        ("  ", None, "the condition is empty", "write one like status == 200"),
    ];
    for (source, column, what, remedy) in cases {
        let found = fault(source);
        assert_eq!((found.column, &*found.fault, &*found.remedy), (column, what, remedy), "{source}");
    }
    let syntax = fault("status == == 200");
    assert_eq!(syntax.column, Some(10), "{syntax:?}");
    assert!(syntax.fault.starts_with("this is no CEL expression"), "{syntax:?}");
    assert_eq!(fault("'ä' != url &&\n 'ä' == == url").column, Some(22));
}

#[test]
fn what_could_cost_too_much_is_refused() {
    let walk = |inner: &str| format!("json.items.all(a, {inner})");
    assert!(fault(&walk(&walk(&walk("true")))).fault.contains("nested steps"));
    assert!(fault(&format!("{}status{}", "(".repeat(13), ")".repeat(13))).fault.contains("brackets"));
    assert!(fault(&format!("status == {}", "9".repeat(2_000))).fault.contains("1000 bytes"));
    assert!(fault(&format!("status == 1{}", " + 1".repeat(60))).fault.contains("nested deeper"));
    assert!(fault(&format!("status == 1{}", " + 1".repeat(120))).fault.contains("words and signs"));
    assert!(fault("body.matches('(((a{90}){90}){90})')").fault.contains("no regular expression"));
    let long = Fact::List(vec![Fact::Int(1); 1_000]);
    let json = [("json", long)];
    assert_eq!(parse("json.all(a, a == 1)").judge(&json), Verdict::Holds);
    let Verdict::Fails(text) = parse("json.all(a, json.all(b, a == b))").judge(&json) else {
        panic!("a million steps were taken");
    };
    assert!(text.contains("a list of 1000 elements is too long to be walked"), "{text}");
}

#[test]
fn the_worst_texts_that_pass_the_guard_fit_a_small_stack() {
    let texts = vec![
        format!("{}true", "!".repeat(199)),
        format!("1{} == 1", " - -1".repeat(60)),
        format!("json{}", ".a".repeat(90)),
        format!("json{}", "[0]".repeat(60)),
        format!("{}1{} == 1", "(".repeat(12), ")".repeat(12)),
        format!("true{}", " ? true : true".repeat(40)),
        format!("true{}", " ? true".repeat(90)),
        format!("{}true", "true ? ".repeat(90)),
        format!("true{}", " || true".repeat(90)),
        format!("{}1{}", "[".repeat(12), "]".repeat(12)),
        format!("{}1{}", "{1:".repeat(12), "}".repeat(12)),
    ];
    let run = move || {
        for text in texts {
            if let Ok(condition) = Condition::parse(&text, &VARIABLES) {
                let _ = condition.judge(&facts());
            }
        }
    };
    // A quarter of what a worker thread of the runtime has.
    std::thread::Builder::new().stack_size(512 << 10).spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_deep_fact_is_judged_without_harm() {
    let mut deep = Fact::Int(1);
    for _ in 0..100 {
        deep = Fact::Map(BTreeMap::from([("a".to_owned(), deep)]));
    }
    assert!(matches!(parse("json.a.a == 1").judge(&[("json", deep)]), Verdict::Fails(_)));
}

fn token() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "status",
        "body",
        "json",
        "headers",
        "timing",
        ".",
        ".",
        "(",
        ")",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "==",
        "!=",
        "<",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "?",
        ":",
        ",",
        "200",
        "1.5",
        "0x1F",
        "1u",
        "'a'",
        "\"b\"",
        "r'\\'",
        "'''c'''",
        "b'd'",
        "true",
        "null",
        "in",
        "has",
        "all",
        "exists",
        "map",
        "item",
        "matches",
        "contains",
        "size",
        "duration('1s')",
        "total",
        "ä",
        "\n",
        "\\",
        "@",
        "`a`",
        "//",
        "int",
        "'\\u00e4'",
        "'\\xzz'",
        "9223372036854775808",
    ];
    prop_oneof![8 => proptest::sample::select(WORDS).prop_map(str::to_owned), 1 => ".{0,3}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_text_makes_the_parser_panic(tokens in prop::collection::vec(token(), 0..40)) {
        let source = tokens.join(" ");
        if let Ok(condition) = Condition::parse(&source, &VARIABLES) {
            let _ = condition.judge(&facts());
        }
    }

    #[test]
    fn a_column_lies_within_the_text(source in "[a-z(=&|!.'\"ä 0-9]{0,60}") {
        if let Err(fault) = Condition::parse(&source, &VARIABLES)
            && let Some(column) = fault.column
        {
            prop_assert!(column <= source.chars().count(), "{column} in {source:?}");
        }
    }
}
