//! `icmp`: echo requests.

use super::tcp::split;
use super::{Around, Kind, Open, Reach, given_or};
use crate::config::raw::keyed::keyed;
use crate::config::reader::{Entry, Reader};
use crate::config::text::{Template, Values, as_it_is};
use crate::model::{IcmpTarget, ProbeKind, Ratio, kind};

keyed! {
    /// Echo requests (ping). `{{label}}` in `to` is filled in for each probe.
    pub struct Icmp {
        /// Who is asked: a name or an address, without a port.
        pub to: String,
        /// How many requests a check sends, 1 to 20, 200ms apart. Default: 3.
        #[schemars(range(min = 1, max = 20))]
        pub count: Option<u16>,
        /// The largest share that may stay without an answer; all of them never may. Default: 50%.
        pub loss: Option<String>,
    }
}

const COUNT: u64 = 3;
const LOSS: Ratio = Ratio::from_percent(50);

pub(super) const KIND: Kind = Kind { variables: |_| kind::icmp::VARIABLES, reach: Reach::Direct, read };

/// Echo requests whose labels are still open.
struct IcmpShape {
    to: Template,
    count: u16,
    loss: Ratio,
}

fn read(reader: &mut Reader<'_>, entry: Entry<'_>, around: &mut Around<'_>) -> Option<Box<dyn Open>> {
    let table = reader.table(entry, Icmp::KEYS, "write `icmp: {to: gateway.example.com}`")?;
    let to = reader
        .need(&table, "to", "say who is asked: `to: gateway.example.com`")
        .and_then(|entry| reader.template(entry, around.given));
    if let Some(to) = to.as_ref().filter(|_| around.given.all) {
        host(reader, to, &around.given.labels);
    }
    let count = table.get("count").map(|entry| reader.whole(entry, 1, 20));
    let loss = table.get("loss").map(|entry| reader.ratio(entry));
    let count = u16::try_from(given_or(count, COUNT)?).unwrap_or(u16::MAX);
    Some(Box::new(IcmpShape { to: to?, count, loss: given_or(loss, LOSS)? }))
}

/// A host without a port.
fn host(reader: &mut Reader<'_>, to: &Template, values: &Values<'_>) -> Option<String> {
    let text = to.fill(values, as_it_is);
    let address = text.parse::<std::net::IpAddr>().map(|address| address.to_string()).ok();
    // A host is one to which a port can be added.
    let found = address.or_else(|| split(&format!("{text}:1")).map(|(host, _)| host));
    if found.is_none() {
        let shown = if to.secret { crate::model::secret::REDACTED } else { &text };
        let fault = format!("`{shown}` is no host");
        reader.fault(to.place, fault, "write a name or an address, without a port: `gateway.example.com`");
    }
    found
}

impl Open for IcmpShape {
    fn fill(&self, reader: &mut Reader<'_>, values: &Values<'_>) -> Option<ProbeKind> {
        Some(ProbeKind::Icmp(IcmpTarget {
            host: host(reader, &self.to, values)?,
            count: self.count,
            loss: self.loss,
        }))
    }
}
