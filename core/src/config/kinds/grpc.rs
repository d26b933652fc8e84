//! `grpc`: a server is asked for its health.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderName;

use super::http::{fill_headers, headers};
use super::smtp::optional;
use super::tcp::host_and_port;
use super::{Around, Kind, Open, Reach, given_or};
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Template, Values, as_it_is};
use crate::config::tls::Tls;
use crate::model::{GrpcTarget, ProbeKind, TlsOptions, kind};

keyed! {
    /// A gRPC server is asked for its health. `{{label}}` in `to`, `service` and `metadata` is filled in for each probe.
    pub struct Grpc {
        /// Host and port: `api.example.com:443`.
        pub to: String,
        /// The part of the server that is asked about, as it is registered: `acme.Orders`. Default: the whole server.
        pub service: Option<Word>,
        /// Sent with the call, as headers. Default: none.
        pub metadata: Option<BTreeMap<String, Word>>,
        /// With it, even when it is empty (`{}`), TLS; see TLS options. Default: no TLS.
        pub tls: Option<Tls>,
    }
}

pub(super) const KIND: Kind = Kind { variables: |_| kind::grpc::VARIABLES, reach: Reach::Server, read };

/// A call whose labels are still open.
struct GrpcShape {
    to: Template,
    part: Option<Template>,
    metadata: Vec<(HeaderName, Template)>,
    tls: Option<Arc<TlsOptions>>,
}

fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Box<dyn Open>> {
    let table = reader.table(entry, Grpc::KEYS, "write `grpc: {to: \"api.example.com:443\", tls: {}}`")?;
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
    Some(Box::new(GrpcShape { to: to?, part: part?, metadata: given_or(metadata, Vec::new())?, tls }))
}

impl Open for GrpcShape {
    fn skips_verification(&self) -> bool {
        self.tls.as_ref().is_some_and(|options| options.skip_verify)
    }

    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
        let (host, port) = host_and_port(reader, &self.to, values)?;
        let metadata = fill_headers(reader, &self.metadata, values)?;
        let service = self.part.as_ref().map(|part| part.fill(values, as_it_is)).unwrap_or_default();
        if let Some(part) = self.part.as_ref().filter(|_| service.len() > 1_000) {
            reader.fault(part.place, "`service` has more than 1000 letters", "write it like `acme.Orders`");
            return None;
        }
        Some(ProbeKind::Grpc(Box::new(GrpcTarget { host, port, service, metadata, tls: self.tls.clone() })))
    }
}
