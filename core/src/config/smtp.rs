//! Mail servers, as URLs: `smtps://user:password@host:465`, `smtp://host:587`, `smtp://host:25?tls=none`.

use std::net::IpAddr;

use secrecy::SecretString;
use url::Url;

use super::problem::nearest;
use super::reader::{Entry, Reader};
use super::text::percent_decoded;
use crate::model::{SmtpSecurity, SmtpServer};

const EXAMPLE: &str = "write it like `smtps://user:password@mail.example.com` or `smtp://localhost:25?tls=none`";

/// Reads a mail server. Nothing of the URL is shown in problems but a misspelled query key.
pub(super) fn server(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<SmtpServer> {
    let text = reader.text(entry)?;
    let parsed = parse(&text.value, text.secret);
    let login = parsed.as_ref().ok().and_then(|server| server.login.as_ref());
    if let Some((_, password)) = login {
        use secrecy::ExposeSecret;
        reader.hide(password.expose_secret());
    }
    if let Some(raw) = Url::parse(&text.value).ok().as_ref().and_then(Url::password) {
        // As the file has it: percent-encoded.
        reader.hide(raw);
    }
    parsed.map_err(|(fault, remedy)| reader.fault(text.place, fault, remedy)).ok()
}

fn parse(text: &str, secret: bool) -> Result<SmtpServer, (String, String)> {
    let wrong = |fault: &str| (format!("this is no mail server: {fault}"), EXAMPLE.to_owned());
    if !text.contains("://") {
        return Err(wrong("it starts with neither `smtp://` nor `smtps://`"));
    }
    let url = Url::parse(text).map_err(|why| wrong(&why.to_string()))?;
    let implicit = match url.scheme() {
        "smtps" => true,
        "smtp" => false,
        _ => return Err(wrong("it starts with neither `smtp://` nor `smtps://`")),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("the URL has no host"))?;
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err(wrong("something stands after the host"));
    }
    let mut plain = false;
    for (key, value) in url.query_pairs() {
        match (&*key, &*value) {
            ("tls", "none") => plain = true,
            ("tls", _) => return Err(wrong("`tls=` takes `none` only")),
            (_, _) if secret => return Err(wrong("it has a query key that is unknown; `tls=none` is the only one")),
            (key, _) => return Err((format!("unknown query key `{key}`"), nearest(key, ["tls"], "known here"))),
        }
    }
    let security = match (implicit, plain) {
        (true, true) => return Err(wrong("`smtps://` and `tls=none` contradict each other")),
        (true, false) => SmtpSecurity::Implicit,
        (false, true) => SmtpSecurity::Plain,
        (false, false) => SmtpSecurity::StartTls,
    };
    let port = url.port().unwrap_or(match security {
        SmtpSecurity::Implicit => 465,
        SmtpSecurity::StartTls => 587,
        SmtpSecurity::Plain => 25,
    });
    let login = match (url.username(), url.password()) {
        ("", None) => None,
        ("", Some(_)) | (_, None) => return Err(wrong("a user and a password belong together")),
        (user, Some(password)) => {
            let user = percent_decoded(user).ok_or_else(|| wrong("the user is not percent-encoded UTF-8"))?;
            let password =
                percent_decoded(password).ok_or_else(|| wrong("the password is not percent-encoded UTF-8"))?;
            Some((user, SecretString::from(password)))
        }
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let host = percent_decoded(&host).filter(|host| !host.contains(|c: char| c.is_whitespace() || c.is_control()));
    Ok(SmtpServer { host: host.ok_or_else(|| wrong("the host is no host name"))?, port, security, login, ca: None })
}

/// Whether mail to this host stays on this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
