//! How the check under way must go where its probe alone does not say it: to one of several addresses, by one of both
//! families, through a proxy.

use std::net::IpAddr;
use std::sync::Arc;

use crate::model::{IpChoice, Proxy};

tokio::task_local! {
    /// The course of the check that this task is making.
    pub(super) static COURSE: Course;
}

/// A course; the default one is that of the probe.
#[derive(Clone, Default)]
pub(super) struct Course {
    /// The address that this host has for this check.
    pub(super) address: Option<(Arc<str>, IpAddr)>,
    /// The family, where a probe asks by both.
    pub(super) family: Option<IpChoice>,
    /// What connects for us.
    pub(super) proxy: Option<Arc<Proxy>>,
}

fn with<R>(f: impl FnOnce(&Course) -> Option<R>) -> Option<R> {
    COURSE.try_with(f).ok().flatten()
}

/// The address that this name has for the check under way, if it has been chosen.
pub(super) fn address(name: &str) -> Option<IpAddr> {
    let same = |host: &str| host.eq_ignore_ascii_case(name.trim_end_matches('.'));
    with(|course| course.address.as_ref().filter(|(host, _)| same(host)).map(|(_, address)| *address))
}

/// The family that the check under way uses.
pub(super) fn family(choice: IpChoice) -> IpChoice {
    match choice {
        IpChoice::Both => with(|course| course.family).unwrap_or(IpChoice::Auto),
        other => other,
    }
}

/// The proxy of the check under way.
pub(super) fn proxy() -> Option<Arc<Proxy>> {
    with(|course| course.proxy.clone())
}
