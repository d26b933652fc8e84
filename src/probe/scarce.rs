//! What this machine or process has run out of. That a check fails by it says nothing of who is asked.

use std::error::Error;
use std::io;

use nix::errno::Errno;

use super::dns_fault::DnsFault;

/// What is scarce, and what to do about it, if this error says so (connect(2), socket(2), send(2)).
pub(super) fn scarce(error: &io::Error) -> Option<String> {
    let fault = match Errno::from_raw(error.raw_os_error()?) {
        Errno::EMFILE => "too many files are open in this process; raise the limit (ulimit -n)",
        Errno::ENFILE => "too many files are open on this machine; raise fs.file-max",
        Errno::ENOBUFS | Errno::ENOMEM => "this machine has no memory left for a connection",
        Errno::EADDRNOTAVAIL => {
            "this machine has no address or port left for a connection; \
             widen net.ipv4.ip_local_port_range, or check less often"
        }
        _ => return None,
    };
    Some(fault.into())
}

/// The same, of an error or of any that is behind it.
pub(super) fn behind(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(DnsFault::Scarce(fault)) = error.downcast_ref() {
            return Some(fault.clone());
        }
        next = error.source();
        if let Some(io) = error.downcast_ref::<io::Error>() {
            if let Some(fault) = scarce(io) {
                return Some(fault);
            }
            // The source of an io::Error is that of the error within; the one within must be looked at too.
            next = io.get_ref().map(|inner| inner as &(dyn Error + 'static)).or(next);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_machine_lacks_is_told_from_what_the_network_says() {
        let said = |errno: Errno| scarce(&io::Error::from_raw_os_error(errno as i32));
        let files = "too many files are open in this process; raise the limit (ulimit -n)";
        assert_eq!(said(Errno::EMFILE).as_deref(), Some(files));
        for ours in [Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM, Errno::EADDRNOTAVAIL] {
            assert!(said(ours).is_some(), "{ours}");
        }
        for theirs in [Errno::ECONNREFUSED, Errno::ECONNRESET, Errno::ENETUNREACH, Errno::EHOSTUNREACH] {
            assert_eq!(said(theirs), None, "{theirs}");
        }
        assert_eq!(scarce(&io::Error::other("too many open files")), None, "only the system's own word counts");
    }

    #[test]
    fn it_is_found_behind_other_errors() {
        let files = || io::Error::from_raw_os_error(Errno::EMFILE as i32);
        assert_eq!(behind(&io::Error::other(files())), scarce(&files()));
        assert_eq!(behind(&io::Error::other("no socket")), None);
    }
}
