//! Outage after outage, of real servers by a real daemon: each is told as itself, by mails of which each sentence is
//! true.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;
use tripline::clock;
use tripline::model::Timestamp;
use tripline::store::Reader;

use crate::forge::Forge;
use crate::lfs_forge::{Access, LfsForge, Stored};
use crate::smtp::{MailServer, eventually};
use crate::ssh_forge::SshForge;
use crate::terminal::{Process, tripline};

/// Three products of a forge, and where each keeps what it serves.
struct Products {
    lfs: LfsForge,
    file: Stored,
    https: Forge,
    ssh: SshForge,
}

/// What one product serves, moved away: it answers "not found" until it is repaired.
struct Broken {
    from: PathBuf,
    to: PathBuf,
    at: Timestamp,
}

impl Products {
    fn start() -> Option<Self> {
        let (lfs, https, ssh) = (LfsForge::start(Access::Write)?, Forge::start(None)?, SshForge::start("")?);
        let file = lfs.put();
        Some(Self { lfs, file, https, ssh })
    }

    fn config(&self, mails: &MailServer, rule: &str) -> String {
        let ssh = self.ssh.remote("acme/demo.git", "user");
        let mut text = "name: Forge
defaults: {interval: 1s, timeout: 1s, retry: {times: 0}}
components: {git-lfs: {name: Git LFS}, git-https: {name: Git via HTTPS}, git-ssh: {name: Git via SSH}}
probes:
"
        .to_owned();
        writeln!(
            text,
            "  file: {{component: git-lfs, lfs: {{url: \"{}\", oid: \"{}\", size: {}}}}}
  clone: {{component: git-https, git: {{url: \"{}\"}}}}
  pull: {{component: git-ssh, git: {{url: \"ssh://{}@127.0.0.1:{}{}\", auth: {{key_file: \"{}\"}}, ssh: {{fingerprint: \"{}\"}}}}}}
rules:
  {rule}
receivers:
  oncall: {{email: {{from: t@example.com, to: [oncall@example.com], smtp: \"smtp://127.0.0.1:{}?tls=none\"}}}}",
            self.lfs.url("/acme/demo.git"),
            self.file.oid,
            self.file.size,
            self.https.url("/acme/demo.git"),
            ssh.user,
            ssh.port,
            ssh.path,
            self.ssh.folder.path().join("user").display(),
            self.ssh.fingerprint("host"),
            mails.port,
        )
        .unwrap();
        text
    }
}

impl Broken {
    fn new(from: &Path) -> Self {
        let to = from.with_extension("away");
        let at = clock::now();
        std::fs::rename(from, &to).unwrap();
        Self { from: from.to_owned(), to, at }
    }

    fn repair(self) {
        std::fs::rename(&self.to, &self.from).unwrap();
    }
}

/// A mail, as somebody reads it who is woken by it.
struct Read {
    subject: String,
    text: String,
}

impl Read {
    fn first(&self) -> &str {
        self.text.lines().next().unwrap()
    }

    /// Since when it fails, as the mail says.
    fn since(&self) -> Timestamp {
        let line =
            self.text.lines().find(|line| line.starts_with("Since ")).unwrap_or_else(|| panic!("{}", self.text));
        let moment = line.split_whitespace().skip(1).take(2).collect::<Vec<_>>().join("T");
        format!("{moment}Z").parse::<jiff::Timestamp>().map(|at| Timestamp::from_millis(at.as_millisecond())).unwrap()
    }

    /// Names this component, and neither of the others where it says what fails; and dates it by this fault.
    #[track_caller]
    fn is_about(&self, name: &str, broken_at: Timestamp) {
        let said = format!("{}\n{}", self.subject, self.first());
        for other in ["Git LFS", "Git via HTTPS", "Git via SSH"] {
            assert_eq!(said.contains(other), other == name, "{other}: {}\n{}", self.subject, self.text);
        }
        let late = self.since().since(broken_at);
        // It is said to the second.
        let is_its = self.since() + Duration::from_secs(1) > broken_at && late < Duration::from_secs(6);
        assert!(is_its, "broken at {}: {}", broken_at.show(), self.text);
    }
}

fn read(mails: &MailServer) -> Vec<Read> {
    let parsed = mails.mails().into_iter().map(|taken| {
        let mail = mail_parser::MessageParser::default().parse(&taken.source).unwrap();
        Read { subject: mail.subject().unwrap().to_owned(), text: mail.body_text(0).unwrap().into_owned() }
    });
    parsed.collect()
}

async fn mail(mails: &MailServer, count: usize) -> Read {
    eventually(&format!("mail {count}"), || mails.mails().len() >= count).await;
    let mut all = read(mails);
    assert_eq!(all.len(), count, "{:#?}", all.iter().map(|mail| &mail.subject).collect::<Vec<_>>());
    all.pop().unwrap()
}

fn open(folder: &Path) -> Vec<String> {
    let reader = Reader::open(&folder.join("tripline.db")).unwrap();
    let incidents = reader.incidents(false, 9).unwrap();
    incidents.iter().filter(|incident| incident.resolved.is_none()).map(|incident| incident.id.short()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_product_after_another_fails_and_each_mail_is_true_of_its_own_outage() {
    let Some(products) = Products::start() else { return };
    let mails = MailServer::start(json!({}));
    let folder = tempfile::tempdir().unwrap();
    let config =
        |rule: &str| std::fs::write(folder.path().join("probes.yaml"), products.config(&mails, rule)).unwrap();
    config("down: {consecutive: 3, clear: {for: 1s}}");
    let mut daemon = Process::daemon(folder.path(), &[], &[]);
    let repositories =
        [products.https.repository("acme/demo.git"), products.ssh.folder.path().join("served/acme/demo.git")];

    // Git LFS fails, and recovers.
    let broken = Broken::new(&products.file.path);
    let (at, opened) = (broken.at, mail(&mails, 1).await);
    assert!(opened.subject.starts_with("[Forge] MAJOR: 404 Not Found "), "{}", opened.subject);
    opened.is_about("Git LFS", at);
    assert!(!opened.text.contains("See also"), "{}", opened.text);
    broken.repair();
    let resolved = mail(&mails, 2).await;
    assert!(
        resolved.subject.starts_with("[Forge] RESOLVED") && resolved.first().contains("Git LFS"),
        "{}",
        resolved.text
    );

    // Another product fails in the same way: it is another outage. Its rule is renamed while it does.
    let broken = Broken::new(&repositories[0]);
    let (at, opened) = (broken.at, mail(&mails, 3).await);
    opened.is_about("Git via HTTPS", at);
    let says_back = |mail: &Read| mail.subject.contains("BACK AGAIN") || mail.text.contains("came back");
    assert!(!says_back(&opened) && opened.text.contains("See also"), "{}\n{}", opened.subject, opened.text);
    config("stopped: {formerly: down, consecutive: 3, clear: {for: 1s}}");
    daemon.signal(Signal::SIGHUP);
    daemon.until("the config is taken up", |daemon| daemon.err().contains("took up the new config"));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!((mails.mails().len(), open(folder.path()).len()), (3, 1), "what is renamed is no news");
    broken.repair();
    let resolved = mail(&mails, 4).await;
    assert!(resolved.subject.starts_with("[Forge] RESOLVED"), "{}", resolved.subject);
    assert!(
        resolved.first().contains("Git via HTTPS") && !resolved.text.contains("no longer watched"),
        "{}",
        resolved.text
    );

    // Git LFS fails again, and recovers: it is monitored for a while.
    let broken = Broken::new(&products.file.path);
    let (at, back) = (broken.at, mail(&mails, 5).await);
    assert!(says_back(&back), "{}\n{}", back.subject, back.text);
    back.is_about("Git LFS", at);
    broken.repair();
    let shows = |id: &str| tripline(folder.path(), &["incident", "show", id]).with(0).out;
    let first = open(folder.path()).pop().unwrap();
    eventually("Git LFS is monitored", || shows(&first).contains("monitoring")).await;

    // Meanwhile a third product fails.
    let broken = Broken::new(&repositories[1]);
    let (at, opened) = (broken.at, mail(&mails, 6).await);
    opened.is_about("Git via SSH", at);
    assert!(!says_back(&opened), "{}\n{}", opened.subject, opened.text);
    let incidents = open(folder.path());
    assert_eq!(incidents.len(), 2, "{incidents:?}");
    let third = incidents.into_iter().find(|id| *id != first).unwrap();
    assert!(shows(&first).contains("monitoring") && !shows(&third).contains("monitoring"), "{}", shows(&third));
    broken.repair();
    let resolved = mail(&mails, 7).await;
    assert!(
        resolved.subject.starts_with("[Forge] RESOLVED") && resolved.first().contains("Git via SSH"),
        "{}",
        resolved.text
    );
    assert!(!resolved.first().contains("Git LFS"), "{}", resolved.text);
    daemon.signal(Signal::SIGTERM);
    daemon.end(Duration::from_secs(20)).with(0);
}
