//! Git smart HTTP, by the real `git http-backend` run as a CGI program (RFC 3875) over a real repository.
//!
//! Protocol: gitprotocol-http(5). All workspaces share the one repository; nobody can push.

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::demo::fault::DemoFault;

/// How many Git programs run at once; one more request is told to come back.
const PROGRAMS: usize = 16;

/// How long a Git program may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// The largest answer of a Git program, in bytes.
const ANSWER: u64 = 4 * 1024 * 1024;

/// The repository's one commit, as `git fast-import` reads it. The date is fixed, and so is the commit's id.
const HISTORY: &str = "commit refs/heads/main\n\
    committer Forge <forge@forge.example> 1739275200 +0000\ndata 6\nBegin\n\n\
    M 100644 inline README.md\ndata 7\n# Demo\n\n";

/// How Git is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GitBackend {
    /// By the real `git http-backend`: clone and fetch work.
    HttpBackend,
    /// Not at all: git is not installed.
    Missing,
}

/// A Git request, without its workspace.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// Below the repository: `info/refs` or `git-upload-pack`.
    pub(super) path: &'static str,
    pub(super) query: &'a str,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// The demo's repository.
#[derive(Debug)]
pub(super) struct Repository {
    projects: PathBuf,
    backend: GitBackend,
    room: Semaphore,
}

impl Repository {
    /// Makes `dir/repositories/demo.git`, unless it is there from an earlier start.
    pub(super) async fn prepare(dir: &Path) -> Result<Self, DemoFault> {
        let projects = dir.join("repositories");
        let doing = || DemoFault::io(format!("make {}", projects.display()));
        tokio::fs::create_dir_all(&projects).await.map_err(doing())?;
        // git sees an absolute path wherever it is run.
        let projects = tokio::fs::canonicalize(&projects).await.map_err(doing())?;
        let backend = if has_http_backend(&projects).await {
            make(&projects).await?;
            GitBackend::HttpBackend
        } else {
            GitBackend::Missing
        };
        Ok(Self { projects, backend, room: Semaphore::new(PROGRAMS) })
    }

    pub(super) fn backend(&self) -> GitBackend {
        self.backend
    }

    pub(super) async fn answer(&self, ask: Ask<'_>) -> Response {
        match self.backend {
            GitBackend::HttpBackend => self.run(ask).await,
            GitBackend::Missing => (StatusCode::NOT_IMPLEMENTED, "git is not installed here\n").into_response(),
        }
    }

    async fn run(&self, ask: Ask<'_>) -> Response {
        let Ok(_place) = self.room.try_acquire() else {
            return (StatusCode::SERVICE_UNAVAILABLE, "too many requests at once\n").into_response();
        };
        let program = self.program(&ask);
        match timeout(DEADLINE, exchange(program, &ask.body)).await {
            Ok(Ok(output)) => respond(&output).unwrap_or_else(|| fault("git said no CGI answer")),
            Ok(Err(error)) => fault(&error.to_string()),
            Err(_) => (StatusCode::GATEWAY_TIMEOUT, "git took too long\n").into_response(),
        }
    }

    /// The program with its request in the environment, as RFC 3875 section 4.1 has it.
    fn program(&self, ask: &Ask<'_>) -> Command {
        let mut program = git(&self.projects);
        let header = |name: &str| ask.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        program
            .arg("http-backend")
            .env("GATEWAY_INTERFACE", "CGI/1.1")
            .env("SERVER_PROTOCOL", "HTTP/1.1")
            .env("REQUEST_METHOD", ask.method.as_str())
            .env("PATH_INFO", format!("/demo.git/{}", ask.path))
            .env("QUERY_STRING", ask.query)
            .env("CONTENT_TYPE", header("content-type"))
            .env("CONTENT_LENGTH", ask.body.len().to_string())
            .env("HTTP_CONTENT_ENCODING", header(CONTENT_ENCODING.as_str()))
            .env("GIT_PROTOCOL", header("git-protocol"))
            .env("REMOTE_ADDR", "127.0.0.1")
            .env("GIT_PROJECT_ROOT", &self.projects)
            .env("GIT_HTTP_EXPORT_ALL", "1");
        program
    }
}

/// git with nothing of the user's own settings, killed when nobody waits for it.
fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    git
}

async fn has_http_backend(folder: &Path) -> bool {
    let mut git = git(folder);
    git.arg("--exec-path");
    match timeout(DEADLINE, exchange(git, b"")).await {
        Ok(Ok(path)) => {
            let path = Path::new(String::from_utf8_lossy(&path).trim()).join("git-http-backend");
            tokio::fs::try_exists(path).await.unwrap_or(false)
        }
        _ => false,
    }
}

async fn make(projects: &Path) -> Result<(), DemoFault> {
    let whole = projects.join("demo.git");
    let doing = || DemoFault::io(format!("make {}", whole.display()));
    if tokio::fs::try_exists(&whole).await.map_err(doing())? {
        return Ok(());
    }
    // Under another name until it is whole; what an interrupted start left there is of no use.
    let part = projects.join("demo.git.part");
    match tokio::fs::remove_dir_all(&part).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(doing()(error)),
        _ => {}
    }
    let steps: [(&[&str], &str); 2] = [
        (&["init", "--quiet", "--bare", "--initial-branch=main", "demo.git.part"], ""),
        (&["--git-dir=demo.git.part", "fast-import", "--quiet"], HISTORY),
    ];
    for (arguments, input) in steps {
        let mut git = git(projects);
        git.args(arguments);
        let failed = |why: String| DemoFault::Git(format!("git {}: {why}", arguments.join(" ")));
        let done = timeout(DEADLINE, exchange(git, input.as_bytes())).await;
        done.map_err(|_| failed("took too long".into()))?.map_err(|error| failed(error.to_string()))?;
    }
    tokio::fs::rename(&part, &whole).await.map_err(doing())
}

/// Gives a program its input and takes its output, both at once so that neither waits for the other.
async fn exchange(mut program: Command, input: &[u8]) -> io::Result<Vec<u8>> {
    let mut child = program.spawn()?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let write = async move {
        // A program that does not want its input says why in its output.
        let _ = stdin.write_all(input).await;
    };
    let read = async {
        let mut output = Vec::new();
        stdout.take(ANSWER + 1).read_to_end(&mut output).await.map(|_| output)
    };
    let ((), output) = tokio::join!(write, read);
    let output = output?;
    if u64::try_from(output.len()).is_ok_and(|length| length > ANSWER) {
        return Err(io::Error::other("its answer is too long"));
    }
    let status = child.wait().await?;
    if status.success() { Ok(output) } else { Err(io::Error::other(status.to_string())) }
}

/// Turns a CGI answer (RFC 3875, section 6) into a response.
fn respond(output: &[u8]) -> Option<Response> {
    let mut status = StatusCode::OK;
    let mut headers = HeaderMap::new();
    let mut rest = output;
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = rest.split_at_checked(end + 1)?;
        rest = after;
        let line = line.trim_ascii();
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (line.get(..colon)?, line.get(colon + 1..)?.trim_ascii());
        if name.eq_ignore_ascii_case(b"status") {
            status = StatusCode::from_bytes(value.get(..3)?).ok()?;
        } else {
            headers.append(HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?);
        }
    }
    Some((status, headers, rest.to_vec()).into_response())
}

fn fault(why: &str) -> Response {
    tracing::warn!(why, "git http-backend failed");
    (StatusCode::INTERNAL_SERVER_ERROR, "git failed\n").into_response()
}
