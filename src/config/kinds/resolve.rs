//! `resolve`: how the way to the server is found, the same for every kind.

use std::net::SocketAddr;

use super::given_or;
use crate::config::reader::{Entry, Reader};
use crate::model::{IpChoice, Resolve};

pub(in crate::config) const KEYS: &[&str] = &["ip", "address"];

/// How connections are made; `None` when it has a problem.
pub(in crate::config) fn read(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Resolve> {
    let table = reader.table(entry, KEYS, "write `resolve: {ip: 4}`")?;
    let choices = [("auto", IpChoice::Auto), ("4", IpChoice::V4), ("6", IpChoice::V6)];
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
    let ip = given_or(ip, IpChoice::Auto)?;
    let address = given_or(address.map(|address| address.map(Some)), None)?;
    if let Some((address, place)) = address
        && matches!((ip, address), (IpChoice::V4, SocketAddr::V6(_)) | (IpChoice::V6, SocketAddr::V4(_)))
    {
        reader.fault(place, "`ip` and `address` are of two families", "remove `ip`: the address says it");
        return None;
    }
    Some(Resolve { ip, address: address.map(|(address, _)| address) })
}
