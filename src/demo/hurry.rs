//! A config made faster, so that nobody has to wait for a rehearsal.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::config::Config;
use crate::model::kind::flow::Act;
use crate::model::{Cadence, ProbeKind, Remote, Role, RuleKind, TlsOptions};

/// Divides every interval, window and waiting time of the config by `factor`. Timeouts stay, but never exceed the
/// interval.
pub fn hurry(config: &mut Config, factor: u32) {
    let faster = |time: &mut Duration| *time /= factor.max(1);
    for probe in &mut config.probes {
        if let Cadence::Every(interval) = &mut probe.cadence {
            faster(interval);
            probe.timeout = probe.timeout.min(*interval);
            faster(&mut probe.retry.after);
        }
    }
    for rule in &mut config.rules {
        match &mut rule.kind {
            RuleKind::ErrorRate(rate) => {
                faster(&mut rate.within);
                faster(&mut rate.clear.hold);
            }
            RuleKind::Change(change) => {
                faster(&mut change.false_alarms.per);
                faster(&mut change.clear_hold);
            }
            RuleKind::Consecutive(run) => faster(&mut run.clear_after),
            RuleKind::Latency(latency) => {
                faster(&mut latency.within);
                faster(&mut latency.hold);
            }
            RuleKind::BurnRate(burn) => {
                faster(&mut burn.long);
                faster(&mut burn.short);
                faster(&mut burn.hold);
            }
            // A certificate's days stay days.
            RuleKind::Expiry(_) => {}
            RuleKind::Missing(missing) => faster(&mut missing.after),
            RuleKind::Offline => {}
        }
    }
    for receiver in config.receivers.values_mut() {
        receiver.remind.iter_mut().for_each(faster);
    }
}

/// Points every probe at this address and makes it trust this certificate authority; names, paths and headers stay.
/// Canaries are left out: whether this machine has a network does not matter to what happens on it. So are jobs
/// that would have to call.
pub fn retarget(config: &mut Config, address: SocketAddr, ca: Bytes) {
    let tls = Arc::new(TlsOptions { ca: Some(ca), ..TlsOptions::default() });
    config.probes.retain(|probe| probe.role == Role::Service && !probe.kind.comes_by_itself());
    for probe in &mut config.probes {
        match &mut probe.kind {
            ProbeKind::Ssh(_)
            | ProbeKind::Tcp(_)
            | ProbeKind::Tls(_)
            | ProbeKind::Dns(_)
            | ProbeKind::Icmp(_)
            | ProbeKind::Exec(_)
            | ProbeKind::Smtp(_)
            | ProbeKind::Imap(_)
            | ProbeKind::Mail(_)
            | ProbeKind::Heartbeat(_)
            | ProbeKind::Grpc(_)
            | ProbeKind::Websocket(_) => {}
            ProbeKind::Flow(flow) => {
                probe.resolve.address = Some(address);
                for step in &mut flow.steps {
                    match &mut step.act {
                        Act::Http(http) => http.base.tls = Arc::clone(&tls),
                        Act::Receive(_) | Act::Mail(_) => {}
                    }
                }
            }
            ProbeKind::Git(git) => match &mut git.remote {
                Remote::Http(remote) => {
                    probe.resolve.address = Some(address);
                    remote.tls = Arc::clone(&tls);
                }
                Remote::Ssh(_) => {}
            },
            ProbeKind::Lfs(lfs) => {
                lfs.tls = Arc::clone(&tls);
                match &mut lfs.remote {
                    Remote::Http(remote) => {
                        probe.resolve.address = Some(address);
                        remote.tls = Arc::clone(&tls);
                    }
                    Remote::Ssh(_) => {}
                }
            }
            ProbeKind::Http(http) => {
                probe.resolve.address = Some(address);
                http.tls = Arc::clone(&tls);
            }
        }
    }
}
