//! What a check costs: HTTPS checks with a new connection each, stored and judged by the real daemon, beside a bare
//! client that only makes the requests, against the same local server, in the same run.
//!
//! ```text
//! cargo bench --bench load               # everything, about four minutes
//! cargo bench --bench load -- --paced    # 1,000 probes every 10 s, and the bare client at the same pace
//! cargo bench --bench load -- --peak     # flat out
//! ```
//!
//! The server is nginx where it is installed (Debian: nginx-light), so that its work does not count as ours; it runs
//! on the same machine and takes its share of the cores all the same. CPU is user and system time of one process over
//! the checks that it made while it was watched, without its start. Figures are printed, not asserted.

// A benchmark that cannot go on has failed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tripline::daemon::pump::Pump;
use tripline::model::id::stable_hash;
use tripline::model::{Outcome, Timestamp};
use tripline::store::Reader;

const HOST: &str = "load.example";

fn main() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = args.iter().position(|arg| arg == "--bare") {
        bare(&args[at + 1..]);
        return;
    }
    if let Some(at) = args.iter().position(|arg| arg == "--path") {
        path(&args[at + 1..]);
        return;
    }
    let wants = |what: &str| {
        !args.iter().any(|arg| arg == "--paced" || arg == "--peak") || args.iter().any(|arg| arg == what)
    };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    if wants("--paced") {
        println!("paced: 1,000 probes every 10 s, 100 checks a second, for 60 s");
        let bare = run_bare(&server, folder.path(), 100, 30);
        println!("  bare client   {bare}");
        let ours = daemon(&server, folder.path(), 1000, 10_000, 60);
        println!("  tripline      {ours}");
        println!("  ratio         {:.2} times the bare client's CPU per check", ours.cpu / bare.cpu);
    }
    if wants("--peak") {
        println!(
            "flat out, {LOOPS} at a time, in turns, because the machine's own speed varies from one second to the next:"
        );
        let mut pairs = Vec::new();
        for _ in 0..TURNS {
            let bare = run_bare(&server, folder.path(), 0, 4);
            let ours = run_self("--path", &server, folder.path(), 0, 4);
            println!("  bare client   {bare}");
            println!("  tripline      {ours}, each stored and judged: {:.2} times that", ours.cpu / bare.cpu);
            pairs.push((bare, ours));
        }
        pairs.sort_by(|(bare, ours), (other_bare, other)| {
            (ours.cpu / bare.cpu).total_cmp(&(other.cpu / other_bare.cpu))
        });
        let (bare, ours) = pairs.swap_remove(TURNS / 2);
        println!(
            "  ratio         {:.2} times the bare client's CPU per check in the median of the turns",
            ours.cpu / bare.cpu
        );
        for rate in [1500, 2000, 2500] {
            let paced = run_bare(&server, folder.path(), rate, 15);
            let ours = daemon(&server, folder.path(), rate * 5, 5000, 20);
            println!("  asked for {rate} a second");
            println!("  bare client   {paced}");
            println!("  tripline      {ours}");
            println!(
                "  ratio         {:.2} times the bare client's CPU per check at this pace, {:.2} times that flat out",
                ours.cpu / paced.cpu,
                ours.cpu / bare.cpu
            );
        }
    }
}

/// nginx with a certificate of our own, closing every connection after one answer.
struct Server {
    child: Child,
    address: SocketAddr,
    ca: PathBuf,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec![HOST.into()]).unwrap().self_signed(&key).unwrap();
        let (ca, key_file) = (folder.join("server.pem"), folder.join("server.key"));
        std::fs::write(&ca, certificate.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = folder.join("nginx.conf");
        let (root, ca_shown, key_shown) = (folder.display(), ca.display(), key_file.display());
        std::fs::write(&config, format!(
            "daemon off; worker_processes 2; pid {root}/nginx.pid; error_log {root}/nginx.err;\n\
             events {{ worker_connections 8192; }}\n\
             http {{ access_log off; keepalive_timeout 0; client_body_temp_path {root}/b; proxy_temp_path {root}/p;\n\
               fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;\n\
               server {{ listen {address} ssl backlog=8192; ssl_certificate {ca_shown}; ssl_certificate_key {key_shown};\n\
                 ssl_session_cache off; ssl_session_tickets off; location / {{ return 200 'Repositories of the forge'; }} }} }}\n"
        )).unwrap();
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&config)
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is needed: apt-get install nginx-light");
        let until = Instant::now() + Duration::from_secs(5);
        while std::net::TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "nginx does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, address, ca }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

fn stop(child: &mut Child) {
    let _ = kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM);
    let _ = child.wait();
}

struct Figures {
    /// Checks a second.
    rate: f64,
    /// Microseconds of user and system time for each check.
    cpu: f64,
    more: String,
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:7.1} checks/s  {:6.0} us CPU per check{}", self.rate, self.cpu, self.more)
    }
}

/// User and system time that a process has used, in microseconds.
fn cpu(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    // Fields 14 and 15 of proc(5), in ticks of 10 ms.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) * 10_000.0
}

fn memory(pid: u32, field: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Runs the bare client in a process of its own. A pace of 0 means flat out.
fn run_bare(server: &Server, folder: &Path, pace: u64, seconds: u64) -> Figures {
    run_self("--bare", server, folder, pace, seconds)
}

fn run_self(what: &str, server: &Server, folder: &Path, pace: u64, seconds: u64) -> Figures {
    let out = folder.join("bare.txt");
    let status = Command::new(std::env::current_exe().unwrap())
        .args([
            what,
            &server.address.to_string(),
            &server.ca.display().to_string(),
            &pace.to_string(),
            &seconds.to_string(),
        ])
        .arg(&out)
        .status()
        .unwrap();
    assert!(status.success());
    let text = std::fs::read_to_string(out).unwrap();
    let parts: Vec<f64> = text.split_whitespace().map(|part| part.parse().unwrap()).collect();
    Figures { rate: parts[0], cpu: parts[1], more: String::new() }
}

/// The bare client: TCP connect, TLS handshake, one GET, the body; nothing else.
fn bare(args: &[String]) {
    let [address, ca, pace, seconds, out] = args else { panic!("usage") };
    let address: SocketAddr = address.parse().unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let mut config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let (pace, seconds): (u64, u64) = (pace.parse().unwrap(), seconds.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let done = Arc::new(AtomicU64::new(0));
    let (began, used, made) = runtime.block_on(async {
        let ask = move |connector: tokio_rustls::TlsConnector, done: Arc<AtomicU64>| async move {
            let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
            tcp.set_nodelay(true).unwrap();
            let tls = connector.connect(ServerName::try_from(HOST).unwrap(), tcp).await.unwrap();
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(tls)).await.unwrap();
            tokio::spawn(connection);
            let request = http::Request::get("/").header("host", HOST).body(Empty::<bytes::Bytes>::new()).unwrap();
            // A server that is overrun may close early; such a check does not count.
            let Ok(answer) = sender.send_request(request).await else { return };
            assert_eq!(answer.status(), 200);
            answer.into_body().collect().await.unwrap();
            done.fetch_add(1, Ordering::Relaxed);
        };
        ask(connector.clone(), Arc::clone(&done)).await;
        let (began, used, before) = (Instant::now(), cpu(std::process::id()), done.load(Ordering::Relaxed));
        let until = began + Duration::from_secs(seconds);
        if pace == 0 {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..LOOPS {
                let (connector, done) = (connector.clone(), Arc::clone(&done));
                tasks.spawn(async move {
                    while Instant::now() < until {
                        ask(connector.clone(), Arc::clone(&done)).await;
                    }
                });
            }
            while let Some(ended) = tasks.join_next().await {
                ended.unwrap();
            }
        } else {
            let mut ticks = tokio::time::interval(Duration::from_secs(1) / u32::try_from(pace).unwrap());
            while Instant::now() < until {
                ticks.tick().await;
                tokio::spawn(ask(connector.clone(), Arc::clone(&done)));
            }
        }
        (began, cpu(std::process::id()) - used, done.load(Ordering::Relaxed) - before)
    });
    #[expect(clippy::cast_precision_loss)]
    let made = made as f64;
    std::fs::write(out, format!("{} {}", made / began.elapsed().as_secs_f64(), used / made)).unwrap();
}

/// The daemon's whole path from the start of a check to its durable row (probe, pump, engine, store) without its
/// schedule, so that it runs as the bare client does: 64 checks under way, the next as soon as one has ended.
fn path(args: &[String]) {
    let [address, ca, _, seconds, out] = args else { panic!("usage") };
    let values: Vec<String> = (0..LOOPS).map(|number| format!("w{number}")).collect();
    let text = format!(
        "name: Load\ncohorts: {{workspace: [{}]}}\ncomponents: {{website: {{name: Website}}}}\nprobes:\n  page:\n    \
         component: website\n    for_each: [workspace]\n    resolve: {{address: \"{address}\"}}\n    \
         http: {{url: \"https://{HOST}/{{{{workspace}}}}/\", tls: {{ca_file: {ca}}}}}\n    \
         expect: ['status == 200', 'body.contains(\"Repositories\")']\n",
        values.join(", ")
    );
    let config = Arc::new(tripline::config::load("load", &text, &Files).unwrap());
    let roots = tripline::probe::Roots::load();
    let prober =
        tripline::probe::Prober::new(&config.probes, config.location.clone(), config.secrets.clone(), &roots);
    let prober = Arc::new(prober.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("path.db");
    let seconds: u64 = seconds.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (used, took) = runtime.block_on(async {
        let writer = tripline::store::Writer::open(&database).unwrap();
        let engine = tripline::engine::Engine::restore(Arc::clone(&config), Vec::new());
        let rebuild = |_| async { panic!("nobody reloads") };
        let pump = Pump::new(engine, writer.clone(), Arc::default(), rebuild);
        let (results, results_in) = tokio::sync::mpsc::channel(4096);
        let (_controls, controls_in) = tokio::sync::mpsc::channel(1);
        let pump = tokio::spawn(pump.run(results_in, controls_in));
        assert_eq!(prober.check(0, tripline::clock::now()).await.outcome, Outcome::Success);
        let (began, used) = (Instant::now(), cpu(std::process::id()));
        let until = began + Duration::from_secs(seconds);
        for index in 0..LOOPS {
            let (prober, results) = (Arc::clone(&prober), results.clone());
            tokio::spawn(async move {
                while Instant::now() < until {
                    let result = prober.check(index, tripline::clock::now()).await;
                    results.send(result).await.unwrap();
                }
            });
        }
        drop(results);
        pump.await.unwrap().unwrap();
        writer.close().await.unwrap();
        (cpu(std::process::id()) - used, began.elapsed())
    });
    let mut stored = 0_u64;
    let reader = Reader::open(&database).unwrap();
    reader
        .results_since(Timestamp::from_millis(0), |result| stored += u64::from(result.outcome == Outcome::Success))
        .unwrap();
    std::fs::write(out, format!("{} {}", stored as f64 / took.as_secs_f64(), used / stored as f64)).unwrap();
}

/// How often the bare client and Tripline take turns when flat out.
const TURNS: usize = 7;

/// Checks that are under way at once when flat out.
const LOOPS: usize = 64;

struct Files;

impl tripline::config::Outside for Files {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|error| error.to_string())
    }
}

/// Runs the daemon over so many probes, watches it for a while after a first round, and reads what it stored.
fn daemon(server: &Server, folder: &Path, probes: u64, interval_ms: u64, seconds: u64) -> Figures {
    let values: Vec<String> = (0..probes).map(|number| format!("w{number}")).collect();
    let config = folder.join("probes.yaml");
    std::fs::write(&config, format!(
        "name: Load\ndefaults: {{interval: {interval_ms}ms, timeout: {}ms}}\ncohorts: {{workspace: [{}]}}\ncomponents: {{website: {{name: Website}}}}\n\
         probes:\n  page:\n    component: website\n    for_each: [workspace]\n    resolve: {{address: \"{}\"}}\n    \
         http: {{url: \"https://{HOST}/{{{{workspace}}}}/\", tls: {{ca_file: {}}}}}\n    \
         expect: ['status == 200', 'body.contains(\"Repositories\")']\n",
        interval_ms.min(5000), values.join(", "), server.address, server.ca.display()
    )).unwrap();
    let database = folder.join(format!("load-{probes}.db"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_tripline"))
        .args(["run", "--config"])
        .arg(&config)
        .arg("--db")
        .arg(&database)
        .env("TRIPLINE_LISTEN", "127.0.0.1:0")
        .stderr(std::fs::File::create(folder.join("daemon.log")).unwrap())
        .spawn()
        .unwrap();
    let pid = child.id();
    std::thread::sleep(Duration::from_millis(interval_ms + 1000));
    let (from, used_before) = (tripline::clock::now(), cpu(pid));
    std::thread::sleep(Duration::from_secs(seconds));
    let (until, used) = (tripline::clock::now(), cpu(pid) - used_before);
    let (resident, peak) = (memory(pid, "VmRSS"), memory(pid, "VmHWM"));
    stop(&mut child);

    let (mut made, mut watched, mut void, mut failed) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut lags: Vec<i64> = Vec::new();
    let mut starts: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let interval = i64::try_from(interval_ms).unwrap();
    Reader::open(&database)
        .unwrap()
        .results_since(Timestamp::from_millis(0), |result| {
            let id = result.probe.as_str();
            made += 1;
            match result.outcome {
                Outcome::Void(_) => {
                    void += 1;
                    return;
                }
                Outcome::Failure(_) => failed += 1,
                Outcome::Success => {}
            }
            if result.finished() > from && result.finished() <= until {
                watched += 1;
            }
            let started = result.started.as_millis();
            let phase = i64::try_from(stable_hash(&[id]) % interval_ms).unwrap();
            lags.push((started - phase).rem_euclid(interval));
            starts.entry(id.to_owned()).or_default().push(started);
        })
        .unwrap();
    lags.sort_unstable();
    let lag = |share: f64| lags[((lags.len() - 1) as f64 * share) as usize];
    // A check that was due between two that were stored, and was not, is lost.
    let lost: i64 = starts
        .values()
        .flat_map(|starts| starts.windows(2))
        .map(|pair| (pair[1] - pair[0] + interval / 2) / interval - 1)
        .sum();
    let bytes = std::fs::metadata(&database).unwrap().len() as f64 / made as f64;
    Figures {
        rate: watched as f64 / seconds as f64,
        cpu: used / watched as f64,
        more: format!(
            "  {resident:.1} MiB resident ({peak:.1} at most)  start late p50 {} p99 {} max {} ms  {made} stored, {void} void, {failed} failed, {lost} lost  {bytes:.0} bytes of file per result",
            lag(0.5),
            lag(0.99),
            lags.last().unwrap()
        ),
    }
}
