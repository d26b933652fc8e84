//! The shapes of the kinds that speak on a connection of their own: gRPC and WebSocket.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::{Tls, Word};

/// A gRPC server is asked for its health. `{{label}}` in `to`, `service` and `metadata` is filled in for each probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
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

/// A WebSocket is opened, and perhaps spoken on. `{{label}}` in `url`, `headers` and `send` is filled in for each probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Websocket {
    /// Where to: ws or wss, without user and password.
    pub url: String,
    /// Sent with the handshake. Not those of the handshake itself. Default: none.
    pub headers: Option<BTreeMap<String, Word>>,
    /// Sent as a text message once the WebSocket is open; the first message that comes is waited for. Default: nothing.
    pub send: Option<Word>,
    /// How certificates are judged and shown; see TLS options. Default: the system's roots.
    pub tls: Option<Tls>,
}
