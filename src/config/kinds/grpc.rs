//! `grpc`: a server is asked for its health.

use std::sync::Arc;

use http::HeaderName;

use super::http::{fill_headers, headers};
use super::smtp::optional;
use super::tcp::host_and_port;
use super::{Around, given_or};
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Template, Values, as_it_is};
use crate::model::{GrpcTarget, TlsOptions};

pub(in crate::config) const KEYS: &[&str] = &["to", "service", "metadata", "tls"];

/// A call whose labels are still open.
pub(in crate::config) struct GrpcShape {
    to: Template,
    part: Option<Template>,
    metadata: Vec<(HeaderName, Template)>,
    tls: Option<Arc<TlsOptions>>,
}

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<GrpcShape> {
    let table = reader.table(entry, KEYS, "write `grpc: {to: \"api.example.com:443\", tls: {}}`")?;
    let to = reader
        .need(&table, "to", "say where to: `to: api.example.com:443`")
        .and_then(|entry| reader.template(entry, around.given));
    if let Some(to) = to.as_ref().filter(|_| around.given.all) {
        host_and_port(reader, to, &around.given.labels);
    }
    let part = optional(reader, &table, "service", around);
    let metadata = table.get("metadata").map(|entry| headers(reader, entry, around.given));
    let tls = match table.get("tls") {
        Some(_) => Some(around.tls(reader, &table)?),
        None => None,
    };
    Some(GrpcShape { to: to?, part: part?, metadata: given_or(metadata, Vec::new())?, tls })
}

impl GrpcShape {
    pub(super) fn skips_verification(&self) -> bool {
        self.tls.as_ref().is_some_and(|options| options.skip_verify)
    }

    /// The call for these labels.
    pub(super) fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<GrpcTarget> {
        let (host, port) = host_and_port(reader, &self.to, values)?;
        let metadata = fill_headers(reader, &self.metadata, values)?;
        let service = self.part.as_ref().map(|part| part.fill(values, as_it_is)).unwrap_or_default();
        if let Some(part) = self.part.as_ref().filter(|_| service.len() > 1_000) {
            reader.fault(part.place, "`service` has more than 1000 letters", "write it like `acme.Orders`");
            return None;
        }
        Some(GrpcTarget { host, port, service, metadata, tls: self.tls.clone() })
    }
}
