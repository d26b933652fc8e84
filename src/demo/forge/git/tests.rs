use http::header::CONTENT_TYPE;

use super::*;

fn ask(query: &str) -> Ask<'_> {
    Ask { method: Method::GET, path: "info/refs", query, headers: HeaderMap::new(), body: Bytes::new() }
}

#[tokio::test]
async fn without_git_nothing_is_served() {
    let repository =
        Repository { projects: PathBuf::new(), backend: GitBackend::Missing, room: Semaphore::new(PROGRAMS) };
    assert_eq!(repository.answer(ask("service=git-upload-pack")).await.status(), StatusCode::NOT_IMPLEMENTED);
}

#[test]
fn a_cgi_answer_becomes_a_response_and_what_is_none_does_not() {
    let answer =
        respond(b"Status: 403 Forbidden\r\nContent-Type: text/plain\r\nX-A: 1\r\nX-A: 2\r\n\r\nno\r\n").unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(answer.headers().get_all(CONTENT_TYPE).iter().collect::<Vec<_>>(), ["text/plain"]);
    assert_eq!(answer.headers().get_all("x-a").iter().count(), 2);
    assert_eq!(respond(b"Content-Type: a/b\n\nbody").unwrap().status(), StatusCode::OK);
    for junk in ["", "no colon\r\n\r\n", "Status: 2\r\n\r\n", "A: b\r\n", "a b: c\r\n\r\n", "Status: 99x\r\n\r\n"] {
        assert!(respond(junk.as_bytes()).is_none(), "{junk}");
    }
}

#[tokio::test]
async fn a_program_that_says_too_much_or_fails_or_is_not_there_is_an_error() {
    let run = async |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        exchange(command, b"in").await
    };
    assert_eq!(run("cat", &[]).await.unwrap(), b"in");
    assert!(run("head", &["-c", "5000000", "/dev/zero"]).await.is_err());
    assert!(run("false", &[]).await.is_err());
    assert_eq!(run("no-such-program", &[]).await.unwrap_err().kind(), io::ErrorKind::NotFound);
}
