//! How we log in: by a key of our own, or one of the agent's.

use std::sync::Arc;

use russh::client::AuthResult;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{self, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, decode_secret_key};
use russh::{AgentAuthError, Signer};
use tokio::net::UnixStream;

use super::session::Session;
use crate::model::{FailureClass, SshLogin};
use crate::probe::broken::Broken;
use crate::probe::question::Seen;

/// Servers close a connection after so many refused keys (`MaxAuthTries` of OpenSSH).
const MOST_KEYS_TRIED: usize = 6;

/// A key that nobody could use without being asked.
const ENCRYPTED: &str = "the private key of `key_file` has a passphrase: take one without \
                         (`ssh-keygen -p -N '' -f FILE`), or give it to an ssh-agent and write `agent: true`";

/// What is wrong where time runs out while the agent is waited for.
const SILENT: &str = "the ssh-agent does not answer";

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
                let key = decode_secret_key(text, None).map_err(|why| match why {
                    keys::Error::KeyIsEncrypted => ENCRYPTED.to_owned(),
                    why => format!("the private key of `key_file` cannot be used: {why}"),
                })?;
                By::Key(Arc::new(key))
            }
            SshLogin::Agent => By::Agent,
        };
        Ok(Self { user: user.to_owned(), by })
    }

    /// Logs in.
    pub(super) async fn admit(&self, session: &mut Session, seen: &mut Seen) -> Result<(), Broken> {
        let By::Key(key) = &self.by else { return self.by_agent(session, seen).await };
        let hash = session.hash_for(key.algorithm()).await;
        let key = PrivateKeyWithHashAlg::new(key.clone(), hash);
        let said = session.handle.authenticate_publickey(&self.user, key).await;
        match said.map_err(|error| session.failed(&error))? {
            AuthResult::Success => Ok(()),
            AuthResult::Failure { remaining_methods, .. } => {
                session.check_alive()?;
                Err(self.refused("the key", &remaining_methods))
            }
        }
    }

    async fn by_agent(&self, session: &mut Session, seen: &mut Seen) -> Result<(), Broken> {
        let mut agent = Agent { client: None, ours: &mut seen.ours };
        let keys = agent.keys().await.map_err(no_agent)?;
        let mut remaining = russh::MethodSet::empty();
        let mut tried = 0;
        for key in keys.into_iter().take(MOST_KEYS_TRIED) {
            tried += 1;
            let hash = session.hash_for(key.algorithm()).await;
            let said = session.handle.authenticate_publickey_with(&self.user, key, hash, &mut agent).await;
            match said {
                Ok(AuthResult::Success) => return Ok(()),
                Ok(AuthResult::Failure { remaining_methods, .. }) => remaining = remaining_methods,
                Err(AgentAuthError::Key(why)) => return Err(no_agent(why)),
                Err(AgentAuthError::Send(_)) => return Err(session.failed(&russh::Error::SendError)),
            }
            session.check_alive()?;
        }
        if tried == 0 {
            return Err(Broken::internal("the ssh-agent holds no key: give it one with `ssh-add`"));
        }
        Err(self.refused(&format!("each of the {tried} keys of the agent"), &remaining))
    }

    fn refused(&self, what: &str, methods: &russh::MethodSet) -> Broken {
        let methods: Vec<String> = methods.iter().map(<&str>::from).map(str::to_owned).collect();
        let takes = if methods.is_empty() { String::new() } else { format!("; it takes: {}", methods.join(", ")) };
        Broken::failed(FailureClass::Unauthorized, format!("the server refused {what} of user {}{takes}", self.user))
    }
}

/// The ssh-agent of this machine. While it is waited for, running out of time is no failure of the server.
struct Agent<'s> {
    client: Option<AgentClient<UnixStream>>,
    ours: &'s mut Option<&'static str>,
}

impl Agent<'_> {
    /// The keys that it holds; it is connected to first.
    async fn keys(&mut self) -> Result<Vec<PublicKey>, keys::Error> {
        *self.ours = Some(SILENT);
        let client = self.client.insert(AgentClient::connect_env().await?);
        let held = client.request_identities().await?;
        *self.ours = None;
        let plain = held.into_iter().filter_map(|held| match held {
            AgentIdentity::PublicKey { key, .. } => Some(key),
            AgentIdentity::Certificate { .. } => None,
        });
        Ok(plain.collect())
    }
}

impl Signer for Agent<'_> {
    type Error = AgentAuthError;

    async fn auth_sign(
        &mut self,
        key: &AgentIdentity,
        hash: Option<HashAlg>,
        what: Vec<u8>,
    ) -> Result<Vec<u8>, AgentAuthError> {
        let Some(client) = &mut self.client else { return Err(AgentAuthError::Key(keys::Error::AgentFailure)) };
        *self.ours = Some(SILENT);
        let signed = client.auth_sign(key, hash, what).await;
        *self.ours = None;
        signed
    }
}

/// The agent is our own: that it cannot be asked says nothing of the server.
fn no_agent(why: keys::Error) -> Broken {
    use std::io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, PermissionDenied, UnexpectedEof};
    let why = match why {
        keys::Error::EnvVar(name) => format!("{name} is not set"),
        keys::Error::BadAuthSock => "SSH_AUTH_SOCK names a socket that is not there".into(),
        keys::Error::AgentFailure => "it does not sign with its key".into(),
        keys::Error::IO(why) => match why.kind() {
            ConnectionRefused => "nothing listens at the socket that SSH_AUTH_SOCK names".into(),
            PermissionDenied => "this user may not use the socket that SSH_AUTH_SOCK names".into(),
            UnexpectedEof | BrokenPipe | ConnectionReset => "it hung up".into(),
            _ => why.to_string(),
        },
        why => why.to_string(),
    };
    Broken::internal(format!("the ssh-agent cannot be asked: {why}"))
}
