//! `resolve`: how the way to the server is found, the same for every kind.

use std::net::{IpAddr, SocketAddr};

use super::given_or;
use crate::config::raw::keyed::keyed;
use crate::config::raw::word::Word;
use crate::config::reader::{Entry, Reader};
use crate::model::{self, IpChoice};

keyed! {
    /// How the connection is made.
    pub struct Resolve {
        /// `auto`, `4` or `6`: which address family is used; `both`: each by itself, and both must answer. Default: auto.
        pub ip: Option<Word>,
        /// Each address of the host is asked by itself, and each is a result of its own. Default: false.
        pub each_address: Option<bool>,
        /// Connects here instead: `192.0.2.7:8443`. SNI and Host stay those of the URL.
        pub address: Option<String>,
        /// The name server that is asked instead of the system's: `192.0.2.53`, or `192.0.2.53:5353` with a port.
        pub server: Option<String>,
    }
}

/// How connections are made; `None` when it has a problem.
pub(in crate::config) fn read(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<model::Resolve> {
    let table = reader.table(entry, Resolve::KEYS, "write `resolve: {ip: 4}`")?;
    let choices = [("auto", IpChoice::Auto), ("4", IpChoice::V4), ("6", IpChoice::V6), ("both", IpChoice::Both)];
    let each = table.get("each_address").map(|entry| Some((reader.flag(entry)?, entry.at)));
    let ip = table.get("ip").map(|entry| reader.choice(entry, &choices));
    let address = table.get("address").map(|entry| {
        let text = reader.text(entry)?;
        let address: Option<SocketAddr> = text.value.parse().ok();
        if address.is_none() {
            let fault = format!("`{}` is no address with a port", text.show());
            reader.fault(text.place, fault, "write it like `192.0.2.7:8443` or `[2001:db8::7]:8443`");
        }
        Some((address?, text.place))
    });
    let server = table.get("server").map(|entry| {
        let text = reader.text(entry)?;
        let server = name_server(&text.value);
        if server.is_none() {
            let fault = format!("`{}` is no address of a name server", text.show());
            reader.fault(text.place, fault, "write it like `192.0.2.53`, or `192.0.2.53:5353` with a port");
        }
        Some(Some((server?, entry.at)))
    });
    let ip = given_or(ip, IpChoice::Auto)?;
    let server = given_or(server, None)?;
    let address = given_or(address.map(|address| address.map(Some)), None)?;
    let (each_address, at) = given_or(each, (false, table.at))?;
    if each_address && (address.is_some() || ip == IpChoice::Both) {
        let (fault, remedy) = if address.is_some() {
            ("`address` is the only one that could be asked", "remove `address` or `each_address`")
        } else {
            ("`each_address` asks the addresses of both families as it is", "remove `ip: both`")
        };
        reader.fault(at, fault, remedy);
        return None;
    }
    if let Some((address, place)) = address
        && matches!(
            (ip, address),
            (IpChoice::V4, SocketAddr::V6(_)) | (IpChoice::V6, SocketAddr::V4(_)) | (IpChoice::Both, _)
        )
    {
        let fault = if ip == IpChoice::Both {
            "`address` is of one family, and `ip` asks by both"
        } else {
            "`ip` and `address` are of two families"
        };
        reader.fault(place, fault, "remove `ip`: the address says it");
        return None;
    }
    if let (Some(_), Some((_, at))) = (address, server) {
        reader.fault(at, "with `address` no name is resolved", "remove `address` or `server`");
        return None;
    }
    Some(model::Resolve {
        ip,
        each_address,
        address: address.map(|(address, _)| address),
        server: server.map(|(server, _)| server),
    })
}

/// The port of DNS (RFC 1035, section 4.2).
const DNS: u16 = 53;

/// An address, with or without a port: `192.0.2.53`, `2001:db8::53`, `[2001:db8::53]:5353`.
fn name_server(text: &str) -> Option<SocketAddr> {
    let bare = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, DNS));
    bare.or_else(|_| text.parse()).ok().filter(|address| address.port() > 0)
}
