//! A small forge on loopback, over real HTTPS, that breaks for some of its customers on request.
//!
//! It stands in for a service whose feature flags fail: the website, the API and Git then answer one customer's
//! requests with 404, as if their repositories had never been, while all others go on as before.

mod account_site;
mod accounts;
mod api;
mod certificates;
mod flags;
mod git;
mod hooks;
mod listener;
mod oauth;
mod origin;
mod pages;
mod pipelines;
mod post;
mod shop;
mod site;
mod ssh;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::fault::DemoFault;
pub use flags::{Area, Requests};
use flags::{Counters, Flags};
pub use git::GitBackend;
use git::Repository;
pub use ssh::SshAccess;

/// The name that the forge's certificate is for.
pub const HOST: &str = "forge.example";

/// The customers of the forge.
pub const WORKSPACES: [&str; 4] = ["acme", "globex", "initech", "umbrella"];

/// How long requests under way may go on after `stop`.
const GRACE: Duration = Duration::from_secs(2);

/// What all requests share.
#[derive(Debug)]
struct Premises {
    flags: Flags,
    counters: Counters,
    repository: Repository,
    accounts: accounts::Accounts,
    licences: shop::Licences,
    tokens: oauth::Tokens,
    jobs: pipelines::Jobs,
    post: post::Post,
    /// Makes the calls of webhooks.
    caller: reqwest::Client,
    ssh: Option<ssh::SshServer>,
}

impl Premises {
    fn break_flags_for(&self, workspace: &str) {
        self.flags.fail_for(workspace);
        self.ssh.iter().for_each(|ssh| ssh.hide(workspace));
    }

    fn repair(&self) {
        self.flags.repair();
        self.ssh.iter().for_each(ssh::SshServer::repair);
    }
}

/// A running forge. Dropping it ends it.
#[derive(Debug)]
pub struct Forge {
    address: SocketAddr,
    ca_pem: Bytes,
    premises: Arc<Premises>,
    server: JoinHandle<()>,
    stop: DropGuard,
}

impl Forge {
    /// Starts a forge on a free port of 127.0.0.1, with a certificate authority of its own made for this start. Its
    /// repository is made below `dir`, with git if that is installed. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When no port can be had, the certificates cannot be made, or git or the file system fails.
    pub async fn start(dir: &Path) -> Result<Self, DemoFault> {
        let repository = Repository::prepare(dir).await?;
        let certificates = certificates::issue(HOST, crate::clock::now())?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(DemoFault::io("listen on 127.0.0.1 for the forge"))?;
        let address = listener.local_addr().map_err(DemoFault::io("tell the forge's port"))?;
        let ssh = match repository.backend() {
            GitBackend::HttpBackend => ssh::SshServer::start(dir, &WORKSPACES).await?,
            GitBackend::Missing => None,
        };
        let caller = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        let premises = Arc::new(Premises {
            flags: Flags::default(),
            counters: Counters::default(),
            repository,
            accounts: accounts::Accounts::default(),
            licences: shop::Licences::default(),
            tokens: oauth::Tokens::default(),
            jobs: pipelines::Jobs::default(),
            post: post::Post::default(),
            caller: caller.map_err(|error| DemoFault::Http(error.to_string()))?,
            ssh,
        });
        let stop = CancellationToken::new();
        let listener = listener::listen(listener, address, certificates.server, stop.clone());
        let serving = axum::serve(listener, site::router(Arc::clone(&premises)));
        let serving = serving.with_graceful_shutdown(stop.clone().cancelled_owned());
        let server = tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::warn!(%error, "the forge ended");
            }
        });
        Ok(Self { address, ca_pem: certificates.ca_pem, premises, server, stop: stop.drop_guard() })
    }

    /// Where it listens. Its certificate holds for [`HOST`], `localhost` and 127.0.0.1.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of its authority, as PEM: what a client has to trust.
    #[must_use]
    pub fn ca_pem(&self) -> Bytes {
        self.ca_pem.clone()
    }

    /// How Git is answered.
    #[must_use]
    pub fn git(&self) -> GitBackend {
        self.premises.repository.backend()
    }

    /// How to get in by SSH; nothing where sshd or git is not installed.
    #[must_use]
    pub fn ssh(&self) -> Option<&SshAccess> {
        self.premises.ssh.as_ref().map(|ssh| &ssh.access)
    }

    /// The forge's own mail goes to this server from now on; before, it goes nowhere.
    pub fn mail_to(&self, server: SocketAddr) {
        self.premises.post.goes_to(server);
    }

    /// The feature flags fail for this workspace: its website, API and Git answer that there is no such thing from
    /// now on. So does a POST of `/-/break/WORKSPACE`.
    pub fn break_flags_for(&self, workspace: &str) {
        self.premises.break_flags_for(workspace);
    }

    /// The feature flags work again, for everyone. So does a POST of `/-/repair`.
    pub fn repair(&self) {
        self.premises.repair();
    }

    /// How many requests came so far.
    #[must_use]
    pub fn requests(&self) -> Requests {
        self.premises.counters.read()
    }

    /// Stops listening and waits up to two seconds for requests under way.
    pub async fn stop(self) {
        drop(self.stop);
        let abort = self.server.abort_handle();
        if timeout(GRACE, self.server).await.is_err() {
            abort.abort();
        }
    }
}
