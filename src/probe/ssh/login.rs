//! How we log in: by a key of our own, or one of the agent's.

use std::sync::Arc;

use russh::client::AuthResult;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, decode_secret_key};

use super::session::Session;
use crate::model::{FailureClass, SshLogin};
use crate::probe::frame::Broken;

/// Servers close a connection after so many refused keys (`MaxAuthTries` of OpenSSH).
const MOST_KEYS: usize = 6;

/// A way to log in that is ready to be used again and again.
pub(in crate::probe) struct Login {
    user: String,
    by: By,
}

enum By {
    Key(Arc<PrivateKey>),
    Agent,
}

impl Login {
    pub(in crate::probe) fn new(user: &str, login: &SshLogin) -> Result<Self, String> {
        let by = match login {
            SshLogin::Key(key) => {
                let text = std::str::from_utf8(key).map_err(|_| "the private key is no text".to_owned())?;
                let key = decode_secret_key(text, None)
                    .map_err(|why| format!("the private key of `key_file` cannot be used: {why}"))?;
                By::Key(Arc::new(key))
            }
            SshLogin::Agent => By::Agent,
        };
        Ok(Self { user: user.to_owned(), by })
    }

    /// Logs in.
    pub(super) async fn admit(&self, session: &mut Session) -> Result<(), Broken> {
        match &self.by {
            By::Key(key) => {
                // RSA keys sign with the hash that the server names; without word of it, with SHA-512.
                let hash = match key.algorithm().is_rsa() {
                    true => session.handle.best_supported_rsa_hash().await.ok().flatten().flatten(),
                    false => None,
                };
                let key = PrivateKeyWithHashAlg::new(key.clone(), hash.or(Some(russh::keys::HashAlg::Sha512)));
                let said = session.handle.authenticate_publickey(&self.user, key).await;
                match said.map_err(|error| session.failed(&error))? {
                    AuthResult::Success => Ok(()),
                    AuthResult::Failure { remaining_methods, .. } => {
                        session.check_alive()?;
                        Err(self.refused("the key", &remaining_methods))
                    }
                }
            }
            By::Agent => self.by_agent(session).await,
        }
    }

    async fn by_agent(&self, session: &mut Session) -> Result<(), Broken> {
        let ours = |why: String| Broken::internal(format!("the ssh-agent cannot be asked: {why}"));
        let mut agent = AgentClient::connect_env().await.map_err(|why| ours(why.to_string()))?;
        let keys = agent.request_identities().await.map_err(|why| ours(why.to_string()))?;
        let mut remaining = russh::MethodSet::empty();
        let mut tried = 0;
        for identity in keys {
            let AgentIdentity::PublicKey { key, .. } = identity else { continue };
            if tried == MOST_KEYS {
                break;
            }
            tried += 1;
            let hash = match key.algorithm().is_rsa() {
                true => session.handle.best_supported_rsa_hash().await.ok().flatten().flatten(),
                false => None,
            };
            let said = session.handle.authenticate_publickey_with(&self.user, key, hash, &mut agent).await;
            match said.map_err(|why| ours(why.to_string()))? {
                AuthResult::Success => return Ok(()),
                AuthResult::Failure { remaining_methods, .. } => remaining = remaining_methods,
            }
            session.check_alive()?;
        }
        if tried == 0 {
            return Err(ours("it holds no key".into()));
        }
        Err(self.refused(&format!("each of the {tried} keys of the agent"), &remaining))
    }

    fn refused(&self, what: &str, methods: &russh::MethodSet) -> Broken {
        let methods: Vec<String> = methods.iter().map(<&str>::from).map(str::to_owned).collect();
        let takes = if methods.is_empty() { String::new() } else { format!("; it takes: {}", methods.join(", ")) };
        Broken::failed(FailureClass::Unauthorized, format!("the server refused {what} of user {}{takes}", self.user))
    }
}
