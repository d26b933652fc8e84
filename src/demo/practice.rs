//! A forge to practise on: the forge, a mail server for alerts, and a configuration that watches them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::fault::DemoFault;
use super::forge::{Forge, GitBackend};
use super::scenery::{self, CA, CONFIG, Scenery};
use super::sink::{Sink, SunkMail};
use crate::daemon::Ports;
use crate::web::Port;

/// A forge, and all that is needed to watch it. Dropping it ends it.
pub struct Practice {
    /// The forge.
    pub forge: Forge,
    /// The mail server that takes alerts.
    pub sink: Sink,
    /// The alerts that it took.
    pub inbox: mpsc::Receiver<SunkMail>,
    /// The configuration's text.
    pub text: String,
    /// Where its mails, its configuration and its repository are.
    pub folder: PathBuf,
    web: SocketAddr,
    mail: SocketAddr,
}

impl Practice {
    /// Starts all of it in `folder`, which is made, and gives the ports that a daemon takes: the configuration says
    /// that it is called there.
    ///
    /// # Errors
    /// When a part of it could not be started.
    pub async fn start(folder: &Path) -> Result<(Self, Ports), DemoFault> {
        let doing = || DemoFault::io(format!("make {}", folder.display()));
        tokio::fs::create_dir_all(folder).await.map_err(doing())?;
        // The configuration names files below it, from wherever it is read.
        let folder = tokio::fs::canonicalize(folder).await.map_err(doing())?;
        let forge = Forge::start(&folder).await?;
        let (sink, inbox) = Sink::start(&folder.join("mails")).await?;
        let here = (Ipv4Addr::LOCALHOST, 0);
        let port = Port::open(here.into()).await.map_err(DemoFault::io("listen on 127.0.0.1 for hooks"))?;
        let listening = DemoFault::io("listen on 127.0.0.1 for mail");
        let mail = TcpListener::bind(here).await.map_err(listening)?;
        let (web, at) = (port.address, mail.local_addr().map_err(DemoFault::io("tell the port for mail"))?);
        forge.mail_to(at);
        let (address, alerts) = (forge.address(), sink.address());
        let text = scenery::config(Scenery { forge: address, git: forge.git(), ssh: forge.ssh(), web, alerts });
        for (name, content) in [(CA, forge.ca_pem()), (CONFIG, text.clone().into())] {
            let path = folder.join(name);
            let doing = DemoFault::io(format!("write {}", path.display()));
            tokio::fs::write(&path, content).await.map_err(doing)?;
        }
        let practice = Self { forge, sink, inbox, text, folder, web, mail: at };
        Ok((practice, Ports { web: Some(port), mail: Some(mail) }))
    }

    /// Where the forge is, and how Git is served: one line each.
    #[must_use]
    pub fn introduction(&self) -> Vec<String> {
        let address = self.forge.address();
        let git = match (self.forge.git(), self.forge.ssh()) {
            (GitBackend::Missing, _) => "git is not installed here, so Git is left out".to_owned(),
            (_, None) => {
                "Git is served by git http-backend; sshd is not installed here, so Git via SSH is left out".into()
            }
            (_, Some(access)) => format!("Git is served by git http-backend, and by sshd on {}", access.address),
        };
        vec![
            format!("a forge listens on https://{address}; {git}"),
            format!("a mail server for alerts listens on {}", self.sink.address()),
        ]
    }

    /// How `program` watches the forge, as commands for a shell.
    #[must_use]
    pub fn commands(&self, program: &str) -> Vec<(&'static str, String)> {
        let folder = self.folder.display();
        let asking = format!("{program} --config {folder}/{CONFIG} --db {folder}/practice.db");
        let ports = format!("--listen {} --listen-mail {}", self.web, self.mail);
        vec![
            ("check everything once, while nothing watches it", format!("{asking} once {ports}")),
            ("watch it", format!("{asking} run {ports}")),
        ]
    }

    /// How the forge is broken and repaired, as commands for a shell.
    #[must_use]
    pub fn levers(&self) -> Vec<(&'static str, String)> {
        let asking =
            format!("curl --cacert {}/{CA} -X POST https://{}/-", self.folder.display(), self.forge.address());
        vec![("break it for a customer", format!("{asking}/break/globex")), ("repair it", format!("{asking}/repair"))]
    }
}
