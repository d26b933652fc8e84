//! The Git LFS kind: a file is found, received and compared; and a small one of our own is put there.

mod batch_api;
mod transfer;

use std::sync::Arc;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;

use self::batch_api::BatchApi;
use super::broken::Broken;
use super::connect::{Clients, Way};
use super::question::{Question, Seen};
use super::shared::Shared;
use super::stopwatch::Trace;
use crate::model::condition::Fact;
use crate::model::{LfsTarget, Probe, Resolve};

/// A file that can be asked for again and again.
pub(super) struct LfsProbe {
    batch_api: BatchApi,
    clients: Arc<Clients>,
    resolve: Resolve,
    oid: [u8; 32],
    size: u64,
    upload: bool,
    /// Tells the files that this probe uploads from those of others.
    identity: digest::Digest,
}

/// What is done with a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Operation {
    Download,
    Upload,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Upload => "upload",
        }
    }
}

/// A file as batches name it.
struct Object {
    oid: String,
    size: u64,
}

impl LfsProbe {
    pub(super) fn new(target: &LfsTarget, probe: &Probe, shared: &mut Shared) -> Result<Self, String> {
        // What is hashed is the file itself.
        let clients = shared.clients_of(Way { tls: (*target.tls).clone(), undecoded: true })?;
        Ok(Self {
            batch_api: BatchApi::new(&target.remote, probe.resolve, shared)?,
            clients,
            resolve: probe.resolve,
            identity: digest::digest(&digest::SHA256, probe.kind.request().as_bytes()),
            oid: target.oid,
            size: target.size,
            upload: target.upload,
        })
    }

    /// A small file of our own, another one each hour: what is uploaded stays, so it is not another one each time.
    fn canary(&self) -> Vec<u8> {
        let hour = crate::clock::now().as_millis() / 3_600_000;
        format!("tripline {} {hour}\n", HEXLOWER.encode(self.identity.as_ref())).into_bytes()
    }
}

impl Question for LfsProbe {
    async fn ask(&self, trace: &Trace, seen: &mut Seen) -> Result<(), Broken> {
        let mut access = self.batch_api.open(Operation::Download, trace, seen).await?;
        let object = Object { oid: HEXLOWER.encode(&self.oid), size: self.size };
        self.download(&access, &object, trace, seen).await?;
        if self.upload {
            let content = self.canary();
            let oid = digest::digest(&digest::SHA256, &content);
            let object = Object { oid: HEXLOWER.encode(oid.as_ref()), size: content.len() as u64 };
            if self.batch_api.knows_operations() {
                access = self.batch_api.open(Operation::Upload, trace, seen).await?;
            }
            self.upload(&access, &object, content, trace, seen).await?;
        }
        seen.facts.push(("bytes", Fact::Int(i64::try_from(self.size).unwrap_or(i64::MAX))));
        Ok(())
    }
}
