//! OpenSSH's `known_hosts`: which keys which servers have.
//!
//! After sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT": `[@MARKER] HOSTS TYPE KEY [COMMENT]`, where hosts are patterns by commas, or
//! one name hashed with a salt (`|1|SALT|HASH`, HMAC-SHA1).

use aws_lc_rs::hmac;
use data_encoding::BASE64;

/// A key that a server is known to have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// Its type: `ssh-ed25519`.
    pub kind: String,
    /// What is public of it, as SSH sends it (RFC 4253, section 6.6).
    pub blob: Vec<u8>,
    /// Whether it must not be accepted, whoever shows it.
    pub revoked: bool,
}

/// The keys that are listed for this host and port. Lines that cannot be read, and those of certificate authorities, are
/// left out.
#[must_use]
pub fn keys(file: &[u8], host: &str, port: u16) -> Vec<Known> {
    let host = host.to_ascii_lowercase();
    let name = if port == 22 { host } else { format!("[{host}]:{port}") };
    String::from_utf8_lossy(file).lines().filter_map(|line| key(line, &name)).collect()
}

fn key(line: &str, name: &str) -> Option<Known> {
    let mut words = line.split_ascii_whitespace();
    let mut hosts = words.next().filter(|word| !word.starts_with('#'))?;
    let mut revoked = false;
    if hosts.starts_with('@') {
        revoked = hosts == "@revoked";
        if !revoked {
            return None;
        }
        hosts = words.next()?;
    }
    if !matches(hosts, name) {
        return None;
    }
    let (kind, blob) = (words.next()?, words.next()?);
    Some(Known { kind: kind.to_owned(), blob: BASE64.decode(blob.as_bytes()).ok()?, revoked })
}

fn matches(hosts: &str, name: &str) -> bool {
    if let Some(hashed) = hosts.strip_prefix("|1|") {
        let Some((salt, hash)) = hashed.split_once('|') else { return false };
        let (Ok(salt), Ok(hash)) = (BASE64.decode(salt.as_bytes()), BASE64.decode(hash.as_bytes())) else {
            return false;
        };
        // OpenSSH's choice; nothing here rests on SHA-1 being hard to forge.
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
        return hmac::verify(&key, name.as_bytes(), &hash).is_ok();
    }
    let mut found = false;
    for pattern in hosts.split(',') {
        let (pattern, not) = pattern.strip_prefix('!').map_or((pattern, false), |pattern| (pattern, true));
        if glob(pattern.to_ascii_lowercase().as_bytes(), name.as_bytes()) {
            if not {
                return false;
            }
            found = true;
        }
    }
    found
}

/// Whether the name is of the pattern, in which `*` stands for anything and `?` for one character. Takes no more steps
/// than the lengths multiplied.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut in_name) = (0, 0);
    // Where the last star stood, and what it has swallowed up to.
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(&byte) if byte == b'?' || Some(&byte) == name.get(in_name) => {
                at += 1;
                in_name += 1;
            }
            _ => match star {
                Some((place, until)) => {
                    star = Some((place, until + 1));
                    at = place + 1;
                    in_name = until + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIIMIOXMBUv+7N1jiXgBBALdmBZIKrfgBVGb5Q1vVrIpz";

    fn found(hosts: &str, host: &str, port: u16) -> bool {
        !keys(format!("# of no use\n\n{hosts} ssh-ed25519 {KEY} a comment\n").as_bytes(), host, port).is_empty()
    }

    #[test]
    fn names_addresses_ports_patterns_and_exceptions_are_matched() {
        assert!(found("forge.example,192.0.2.7", "forge.example", 22));
        assert!(found("forge.example,192.0.2.7", "192.0.2.7", 22));
        assert!(found("Forge.example", "fORGE.example", 22));
        assert!(!found("forge.example", "forge.example", 2222));
        assert!(found("[forge.example]:2222", "forge.example", 2222));
        assert!(
            found("*.example,!old.example", "new.example", 22) && !found("*.example,!old.example", "old.example", 22)
        );
        assert!(found("f?rge.*", "forge.example", 22) && !found("f?rge", "forge.example", 22));
        assert!(!found("@cert-authority forge.example", "forge.example", 22));
    }

    #[test]
    fn a_hashed_name_is_matched_and_a_revoked_key_is_marked() {
        // What `ssh-keygen -H` made of `forge.example` and of `[forge.example]:2222`.
        let hashed = "|1|PrJ2nk0T1hK2WcoCL7fKHpTE2f8=|BgfxO4HjPwqwD+WjCwsb9LmnG1o=";
        assert!(found(hashed, "forge.example", 22) && !found(hashed, "forge.example.org", 22));
        let hashed = "|1|55Z/UYxb3ZZuPO0bDiheFPv4+c8=|85HVH0fZm8UlqTyKmMz0PVsPcVU=";
        assert!(found(hashed, "forge.example", 2222) && !found(hashed, "forge.example", 22));
        let revoked = keys(format!("@revoked * ssh-ed25519 {KEY}").as_bytes(), "forge.example", 22);
        assert!(revoked[0].revoked && revoked[0].kind == "ssh-ed25519" && revoked[0].blob.len() == 51);
    }

    proptest! {
        #[test]
        fn any_file_can_be_read(file in proptest::collection::vec(any::<u8>(), 0..2_000), host in "[a-z*?|!@]{0,20}") {
            let _ = keys(&file, &host, 22);
            let _ = keys(format!("{host} {}", String::from_utf8_lossy(&file)).as_bytes(), &host, 22);
        }
    }
}
