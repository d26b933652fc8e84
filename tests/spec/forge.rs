//! A forge of parts that others wrote: repositories of Git, behind nginx with `git http-backend`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::network::{Group, Program, free_port, has};

/// nginx before fcgiwrap before `git http-backend`, over a folder of bare repositories.
pub(crate) struct Forge {
    pub(crate) folder: tempfile::TempDir,
    /// Where HTTP is spoken, in the clear.
    pub(crate) http: SocketAddr,
    /// Where HTTP is spoken by TLS, if a certificate was given.
    pub(crate) https: SocketAddr,
    _wrap: Group,
    _nginx: Program,
}

/// Runs git, with nothing of the user's own settings, and gives what it printed.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Forge", "-c", "user.email=forge@forge.example", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Makes `acme/demo.git` with two commits and a tag, which can be pushed to, and the empty `acme/empty.git`.
pub(crate) fn repositories(folder: &Path) {
    let work = folder.join("work");
    std::fs::create_dir_all(work.join("src")).unwrap();
    git(&work, &["init", "--quiet", "--initial-branch=main"]);
    for (round, text) in ["Begin", "Go on"].into_iter().enumerate() {
        std::fs::write(work.join("README.md"), format!("# Demo\n{text}\n").repeat(100)).unwrap();
        std::fs::write(work.join("src").join(format!("{round}.rs")), "fn main() {}\n").unwrap();
        git(&work, &["add", "."]);
        git(&work, &["commit", "--quiet", "-m", text]);
    }
    git(&work, &["tag", "-a", "v1.0", "-m", "One"]);
    let served = folder.join("served");
    std::fs::create_dir_all(served.join("acme")).unwrap();
    git(&served, &["clone", "--quiet", "--bare", work.to_str().unwrap(), "acme/demo.git"]);
    git(&served, &["init", "--quiet", "--bare", "--initial-branch=main", "acme/empty.git"]);
    for (key, value) in [("http.receivepack", "true"), ("uploadpack.allowFilter", "true")] {
        git(&served.join("acme/demo.git"), &["config", key, value]);
    }
}

impl Forge {
    /// Starts it; `None`, said by name, where a part is not installed. `pair`: a certificate and its key, in PEM.
    pub(crate) fn start(pair: Option<(String, String)>) -> Option<Self> {
        if !["nginx", "fcgiwrap", "git"].into_iter().all(has) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        repositories(path);
        let socket = path.join("fcgi.sock");
        let mut wrap = Command::new("/usr/sbin/fcgiwrap");
        wrap.args(["-c", "4", "-s", &format!("unix:{}", socket.display())])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let wrap = Group::start(&mut wrap);
        let (port, tls_port) = (free_port(), free_port());
        let mut tls = String::new();
        if let Some((certificate, key)) = pair {
            std::fs::write(path.join("server.pem"), certificate).unwrap();
            std::fs::write(path.join("server.key"), key).unwrap();
            tls = format!(
                "listen 127.0.0.1:{tls_port} ssl; ssl_certificate {0}/server.pem; ssl_certificate_key {0}/server.key;",
                path.display()
            );
        }
        std::fs::write(path.join("passwords"), "canary:{PLAIN}s3cr3t\n").unwrap();
        std::fs::write(path.join("nginx.conf"), configuration(path, port, &tls, &socket)).unwrap();
        let config = path.join("nginx.conf");
        let mut nginx = Command::new("/usr/sbin/nginx");
        nginx.arg("-c").arg(&config).arg("-p").arg(path).args(["-e", "error.log"]);
        let nginx = Program::start(&mut nginx, port);
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Some(Self { http: at(port), https: at(tls_port), folder, _wrap: wrap, _nginx: nginx })
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// A bare repository of the forge.
    pub(crate) fn repository(&self, name: &str) -> PathBuf {
        self.folder.path().join("served").join(name)
    }
}

/// As root, nginx runs as root, who owns the repositories; as anyone else it does not mind the directive.
///
/// `/` is open, `/private/` wants a password, `/old/` leads to `/`, and `/v0/` does not know of newer protocols.
fn configuration(folder: &Path, port: u16, tls: &str, socket: &Path) -> String {
    let served = folder.join("served");
    let backend = |extra: &str| {
        format!(
            "fastcgi_pass unix:{};
             fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
             fastcgi_param GIT_PROJECT_ROOT {};
             fastcgi_param GIT_HTTP_EXPORT_ALL 1;
             fastcgi_param PATH_INFO /$repository;
             fastcgi_param QUERY_STRING $query_string;
             fastcgi_param REQUEST_METHOD $request_method;
             fastcgi_param CONTENT_TYPE $content_type;
             fastcgi_param CONTENT_LENGTH $content_length;
             fastcgi_param REMOTE_ADDR $remote_addr;
             {extra}",
            socket.display(),
            served.display()
        )
    };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {}/temporary-{what};", folder.display()))
        .concat();
    format!(
        "user root; daemon off; worker_processes 2; pid {folder}/nginx.pid;
         events {{ worker_connections 1024; }}
         http {{ access_log off; {temporary}
           server {{ listen 127.0.0.1:{port} backlog=1024; {tls} client_max_body_size 64m;
             location ~ ^/private/(?<repository>.*)$ {{ auth_basic forge; auth_basic_user_file {folder}/passwords; {open} }}
             location ~ ^/v0/(?<repository>.*)$ {{ {old} }}
             location ~ ^/old/(.*)$ {{ return 301 /$1$is_args$args; }}
             location ~ ^/login/ {{ return 302 /sign-in; }}
             location ~ ^/busy/ {{ return 429; }}
             location ~ ^/page/ {{ default_type text/html; return 200 \"<h1>Welcome</h1>\"; }}
             location ~ ^/(?<repository>.*)$ {{ {open} }}
           }} }}",
        folder = folder.display(),
        open = backend(""),
        old = backend("fastcgi_param HTTP_GIT_PROTOCOL \"\";"),
    )
}
