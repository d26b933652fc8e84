//! Pages that are made to cost the one who reads them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::unistd::gettid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tripline::model::FailureClass;

use super::{check, class_and_fault};
use crate::probes::measured::{GRACE, once};
use crate::servers::Server;

/// One that answers everything with this page.
async fn site(page: String) -> Server {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", page.len());
    let said: Arc<str> = (head + &page).into();
    Server::raw(move |mut stream| {
        let said = said.clone();
        Box::pin(async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(said.as_bytes()).await;
            let _ = stream.shutdown().await;
        })
    })
    .await
}

/// Elements that are never closed, each of which all before it are looked through for; and after each piece that is
/// parsed at once comes a comment at the top, so that the nesting is not seen.
fn costly() -> String {
    "<dl></html><!-->".repeat(99_000)
}

/// A flow that looks for a form's token.
fn flow(selector: &str) -> String {
    let cap = "http: {url: \"SITE/\", body_cap: 4MiB}";
    format!("      steps: [{{name: open, {cap}, capture: {{csrf: {{css: \"{selector}\", attribute: value}}}}}}]")
}

/// How much processor time these threads of this process have used, in ticks of a hundredth of a second.
fn used(threads: &[i32]) -> u64 {
    let stats = threads.iter().filter_map(|id| std::fs::read_to_string(format!("/proc/self/task/{id}/stat")).ok());
    let ticks = stats.map(|stat| {
        // The name in brackets is the second field; user and system time are the 14th and the 15th.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    });
    ticks.sum()
}

#[test]
fn pages_that_would_be_read_for_ever_end_with_their_step_and_no_thread_goes_on() {
    let threads: Arc<Mutex<Vec<i32>>> = Arc::default();
    let started = threads.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .on_thread_start(move || started.lock().unwrap().push(gettid().as_raw()))
        .build()
        .unwrap();
    runtime.block_on(async {
        let costly = site(costly()).await;
        let wide = site("<p>".repeat(19_000)).await;
        // More than are read at once where there are two cores.
        let (csrf, has) = (flow("input[name=csrf]"), flow("p:has(~ p ~ p ~ p ~ input)"));
        let checks = (0..2).flat_map(|_| [check(costly.address, "3s", &csrf), check(wide.address, "3s", &has)]);
        let results = futures_util::future::join_all(checks).await;
        for result in &results {
            let fault = "step 1 of 1, `open`: no end within 3s: the answer was still being searched for `csrf`";
            assert_eq!(class_and_fault(result), (FailureClass::Timeout, fault));
            assert!(result.phases.total < Duration::from_secs(3) + GRACE, "{:?}", result.phases);
        }
    });
    let threads = threads.lock().unwrap().clone();
    assert!(threads.len() > 2, "pages are read beside the two that make the checks: {threads:?}");
    // A thread looks up between two pieces, or two elements.
    std::thread::sleep(Duration::from_millis(500));
    let before = used(&threads);
    assert!(before > 50, "they were at work: {before}");
    std::thread::sleep(Duration::from_secs(1));
    let after = used(&threads);
    assert!(after - before < 10, "{before} and a second later {after}");
}

#[tokio::test]
async fn pages_beyond_all_bounds_are_refused_and_once_ends() {
    let deep = site("<div>".repeat(100_000)).await;
    let result = check(deep.address, "10s", &flow("input")).await;
    let fault =
        "step 1 of 1, `open`: nothing can be captured as `csrf`: the page is nested more than 1000 deep".to_owned();
    assert_eq!(class_and_fault(&result), (FailureClass::Expectation, fault.as_str()));

    let costly = site(costly()).await;
    let flow = flow("input").replace("SITE", &format!("http://{}", costly.address));
    let began = Instant::now();
    let measured = once(
        &format!(
            "name: Forge\ndefaults: {{timeout: 1s, retry: {{times: 0}}}}\ncomponents: {{web: {{}}}}\nprobes:\n  page:\n    component: web\n    flow:\n{flow}\n"
        ),
        &[],
    )
    .await;
    assert_eq!(measured.lines["page"]["outcome"], "timeout", "{:?}", measured.lines);
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}
