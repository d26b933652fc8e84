//! How the check under way must go where its probe alone does not say it: to one of several addresses, by one of both
//! families, through a proxy.

use std::net::IpAddr;
use std::sync::Arc;

use crate::model::{IpChoice, Proxy};

tokio::task_local! {
    /// What the check that this task is making does otherwise than its probe says.
    pub(super) static OVERRIDES: Overrides;
}

/// The overrides of one check; none by default.
#[derive(Clone, Default)]
pub(super) struct Overrides {
    /// The address that this host has for this check.
    pub(super) address: Option<(Arc<str>, IpAddr)>,
    /// The family, where a probe asks by both.
    pub(super) family: Option<IpChoice>,
    /// What connects for us.
    pub(super) proxy: Option<Arc<Proxy>>,
}

fn with<R>(f: impl FnOnce(&Overrides) -> Option<R>) -> Option<R> {
    OVERRIDES.try_with(f).ok().flatten()
}

/// The address that this name has for the check under way, if it has been chosen.
pub(super) fn address(name: &str) -> Option<IpAddr> {
    let same = |host: &str| host.eq_ignore_ascii_case(name.trim_end_matches('.'));
    with(|overrides| overrides.address.as_ref().filter(|(host, _)| same(host)).map(|(_, address)| *address))
}

/// The family that the check under way uses.
pub(super) fn family(choice: IpChoice) -> IpChoice {
    match choice {
        IpChoice::Both => with(|overrides| overrides.family).unwrap_or(IpChoice::Auto),
        other => other,
    }
}

/// The proxy of the check under way.
pub(super) fn proxy() -> Option<Arc<Proxy>> {
    with(|overrides| overrides.proxy.clone())
}
