//! `proxy`: what stands between us and what is asked; of a probe, or of all by `defaults`.

use std::sync::Arc;

use url::Url;

use super::{Kind, Reach, resolve};
use crate::config::reader::{Entry, Reader, Table};
use crate::model::{Proxy, Resolve};

/// A proxy; the inner `None` says that there is none: `proxy: none`.
pub(in crate::config) fn read(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Option<Arc<Proxy>>> {
    let text = reader.text(entry)?;
    if text.value == "none" {
        return Some(None);
    }
    let url = Url::parse(&text.value).ok();
    if let Some(password) = url.as_ref().and_then(Url::password) {
        reader.hide(password);
    }
    let url = url.filter(|url| {
        matches!(url.scheme(), "http" | "socks5" | "socks5h")
            && url.host_str().is_some_and(|host| !host.is_empty())
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none()
    });
    let Some(mut url) = url else {
        let remedy =
            "write it like `http://proxy.example:3128` or `socks5://user:password@proxy.example:1080`, or `none`";
        reader.fault(text.place, format!("`{}` is no proxy", text.show()), remedy);
        return None;
    };
    if url.scheme() == "socks5" {
        // Names are the proxy's to resolve, whichever way it was written.
        url = Url::parse(&url.as_str().replacen("socks5:", "socks5h:", 1)).unwrap_or(url);
    }
    Some(Some(Arc::new(Proxy { url })))
}

/// The proxy of a definition, and whether it goes with how its connections are made.
pub(in crate::config) fn of(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    kind: Option<(Entry<'_>, &Kind)>,
    way: &Resolve,
    default: Option<&Arc<Proxy>>,
) -> Option<Option<Arc<Proxy>>> {
    let direct = kind.filter(|(_, kind)| kind.reach == Reach::Direct).map(|(entry, _)| entry);
    let Some(entry) = table.get("proxy") else {
        // Where the probe itself says how its connections are made, it is not made to go through what all others do.
        return Some(default.filter(|_| direct.is_none() && *way == Resolve::default()).cloned());
    };
    let proxy = read(reader, entry)?;
    if proxy.is_some()
        && let Some(kind) = direct
    {
        reader.fault(entry.at, format!("`{}` does not go through a proxy", kind.name), "remove `proxy`");
        return None;
    }
    if proxy.is_some() && *way != Resolve::default() {
        let keys = resolve::Resolve::KEYS.join("`, `");
        reader.fault(
            entry.at,
            "through a proxy it is the proxy that resolves names",
            format!("remove `proxy`, or `resolve` with its `{keys}`"),
        );
        return None;
    }
    Some(proxy)
}
