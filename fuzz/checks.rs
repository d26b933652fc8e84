//! What must hold of each parser, whatever bytes it is given. The fuzz targets call these, and so does the test that
//! replays their corpus.

#[path = "checks/evidence.rs"]
mod evidence;
#[path = "checks/forge.rs"]
mod forge;
#[path = "checks/mail.rs"]
mod mail;
#[path = "checks/mail_server.rs"]
mod mail_server;
#[path = "checks/mails.rs"]
mod mails;
#[path = "checks/network.rs"]
mod network;
#[path = "checks/plugins.rs"]
mod plugins;
#[path = "checks/web.rs"]
mod web;
#[path = "checks/written.rs"]
mod written;

pub(crate) use evidence::evidence;
pub(crate) use forge::{known_hosts, lfs, pack, pkt_line, zip};
pub(crate) use mail::{mail, mail_headers};
pub(crate) use mail_server::mail_server;
pub(crate) use mails::{imap, smtp};
pub(crate) use network::{dns, grpc, icmp, ocsp};
pub(crate) use plugins::perfdata;
pub(crate) use web::{redirect, signature};
pub(crate) use written::{calendar, probes_yaml, scenario};

/// A check of one parser.
pub(crate) type Check = fn(&[u8]);

/// The checks by the names of their targets: what the replay runs.
#[allow(dead_code, reason = "each fuzz target calls one of them only")]
pub(crate) const ALL: &[(&str, Check)] = &[
    ("calendar", calendar),
    ("dns", dns),
    ("evidence", evidence),
    ("grpc", grpc),
    ("icmp", icmp),
    ("imap", imap),
    ("known_hosts", known_hosts),
    ("mail", mail),
    ("lfs", lfs),
    ("mail_headers", mail_headers),
    ("mail_server", mail_server),
    ("ocsp", ocsp),
    ("pack", pack),
    ("perfdata", perfdata),
    ("pkt_line", pkt_line),
    ("probes_yaml", probes_yaml),
    ("redirect", redirect),
    ("scenario", scenario),
    ("signature", signature),
    ("smtp", smtp),
    ("zip", zip),
];
