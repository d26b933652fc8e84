//! The shapes of the kinds of question, in the order of `config::kinds`.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::{Word, Words};

/// An HTTP request. `{{label}}` in `url`, `headers` and `body` is filled in for each probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Http {
    /// Where to: http or https, without user and password.
    pub url: String,
    /// GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS, in capitals. Default: GET.
    pub method: Option<String>,
    /// Sent with the request. Not connection, content-length, transfer-encoding. Default: none.
    pub headers: Option<BTreeMap<String, Word>>,
    /// Sent with the request. Default: none.
    pub body: Option<Word>,
    /// How many redirects are followed, 0 to 20; 0: the redirect is the answer. Default: 10.
    #[schemars(range(max = 20))]
    pub redirects: Option<u8>,
    /// How much of the answer's body is read: bytes, or with KiB or MiB, up to 64MiB. The rest is left unread.
    /// Default: 1MiB.
    pub body_cap: Option<Word>,
    /// The answer is content that is received whole and checked; see Downloads. Default: the body is not judged.
    pub download: Option<Download>,
    /// How certificates are judged and shown; see TLS options. Default: the system's roots.
    pub tls: Option<Tls>,
}

/// Content that is received whole and checked as it comes, however large.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Download {
    /// Its SHA-256 hash, in 64 hexadecimal digits. Default: not compared.
    pub sha256: Option<Word>,
    /// It has at least so many bytes: a number, or one with KiB, MiB, GiB or TiB. Default: 1.
    pub min_size: Option<Word>,
    /// It has at most so many bytes, up to 1TiB; more are not read. Default: 1GiB.
    pub max_size: Option<Word>,
    /// `gzip` or `zip`: it is a sound file of that format. Default: not looked at.
    pub integrity: Option<String>,
    /// So much arrives in a second at least, from the first byte to the last: `1MiB/s`. Default: any.
    pub min_throughput: Option<Word>,
}

/// A connection, with a TLS handshake or without: what is said there, and how much is read. `{{label}}` in `to` and
/// `send` is filled in for each probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Tcp {
    /// Host and port: `db.example.com:5432` or `[2001:db8::7]:5432`.
    pub to: String,
    /// With it, even when it is empty (`{}`), a TLS handshake follows; see TLS options. Default: no TLS.
    pub tls: Option<Tls>,
    /// Sent once the connection stands; in double quotes, `\r\n` ends a line. Default: nothing.
    pub send: Option<Word>,
    /// Where reading ends: `line` (with the first line, of at most 64KiB), `close` (when the server closes, or after
    /// 1MiB), or after so many bytes, up to 1MiB: `4KiB`. Default: a line where `expect` looks at `body`, else nothing.
    pub read: Option<Word>,
}

/// A command of this machine that looks for us: any plugin of Nagios, Icinga or the Monitoring Plugins project.
/// `{{label}}` in `command`, `env` and `stdin` is filled in for each probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Exec {
    /// The program, by its path or a name in PATH, and what it is given; no shell is between, unless you name one.
    #[schemars(length(min = 1, max = 256))]
    pub command: Vec<Word>,
    /// Environment variables that it gets beside PATH and LC_ALL=C. Ours are not inherited. Default: none.
    pub env: Option<BTreeMap<String, Word>>,
    /// What it can read from its standard input. Default: nothing.
    pub stdin: Option<Word>,
    /// What exit code 1, WARNING, is worth: `ok` or `fail`. Default: ok.
    pub warning: Option<String>,
    /// What exit code 3, UNKNOWN, is worth: `void` (nobody could look) or `fail`. Default: void.
    pub unknown: Option<String>,
}

/// A TLS handshake, and the certificates that it shows. `{{label}}` in `to` and `server_name` is filled in for each
/// probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TlsProbe {
    /// Host and port: `example.com:443` or `[2001:db8::7]:443`.
    pub to: String,
    /// The name that is asked for (SNI) and that the certificate must be valid for. Default: the host of `to`.
    pub server_name: Option<String>,
    /// The protocols that are offered, best first: `[h2, http/1.1]`. Default: none.
    #[schemars(length(min = 1))]
    pub alpn: Option<Vec<String>>,
    /// `smtp` or `imap`: the connection begins in the plain, and TLS is asked for. Default: TLS at once.
    pub starttls: Option<String>,
    /// How certificates are judged and shown; see TLS options. Default: the system's roots.
    pub tls: Option<Tls>,
}

/// A question to name servers. `{{label}}` in `name`, `server` and `answers` is filled in for each probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Dns {
    /// The name that is asked for; with PTR, an address will do.
    pub name: String,
    /// A, AAAA, CNAME, MX, NS, TXT, SOA, CAA, SRV or PTR. Default: A.
    #[schemars(rename = "type")]
    pub record: Option<String>,
    /// Who is asked: `192.0.2.53`, `ns1.example.com` or `192.0.2.53:5353`, or a list of up to 8, each of which is asked
    /// and all of which must answer the same. Default: the system's, until one answers.
    pub server: Option<WordOrWords>,
    /// `udp` (and TCP where the answer is too long for it), `tcp`, or `tls` (port 853; needs `server`). Default: udp.
    pub over: Option<String>,
    /// Exactly these must be answered, in any order: `[10 mx.example.com]`. Default: any answer will do.
    pub answers: Option<Words>,
    /// With `over: tls`, how certificates are judged and shown; see TLS options. Default: the system's roots.
    pub tls: Option<Tls>,
}

/// Echo requests (ping). `{{label}}` in `to` is filled in for each probe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Icmp {
    /// Who is asked: a name or an address, without a port.
    pub to: String,
    /// How many requests a check sends, 1 to 20, 200ms apart. Default: 3.
    #[schemars(range(min = 1, max = 20))]
    pub count: Option<u16>,
    /// The largest share that may stay without an answer; all of them never may. Default: 50%.
    pub loss: Option<String>,
}

/// One text, or a list of texts.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum WordOrWords {
    /// One.
    One(Word),
    /// Several.
    Several(Words),
}

/// How certificates are judged and shown. Paths start at the config's directory.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Tls {
    /// A PEM file of certificates to trust instead of the system's.
    pub ca_file: Option<String>,
    /// A PEM file of the certificate chain to show to the server.
    pub client_cert: Option<String>,
    /// A PEM file of its private key.
    pub client_key: Option<String>,
    /// Accepts any certificate, and says so loudly. Default: false.
    pub skip_verify: Option<bool>,
}

/// How the connection is made.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
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
