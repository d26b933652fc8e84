use super::*;

const NOON: Timestamp = Timestamp::from_millis(1_739_275_200_000);

fn token(text: &str) -> Token {
    Token::parse(text).unwrap()
}

fn call(body: &'static str) -> Call {
    Call { method: Method::POST, headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) }
}

#[test]
fn a_call_reaches_the_job_of_its_token_and_no_other_token_does() {
    let inbox = Inbox::default();
    let mut arrived = inbox.listen([&token("first-job-0000000"), &token("second-job-000000")]);
    let ping = |token: &str| inbox.ping(token, Ping::Well, NOON, Bytes::new());
    assert_eq!(ping("second-job-000000"), Taken::Yes);
    assert_eq!(arrived.try_recv().unwrap().job, 1);
    for wrong in ["", "first-job-000000", "first-job-00000000", "FIRST-JOB-0000000"] {
        assert_eq!(ping(wrong), Taken::Unknown, "{wrong}");
    }
    let results: Vec<Taken> = (0..2_000).map(|_| ping("first-job-0000000")).collect();
    assert_eq!(
        results.iter().filter(|taken| **taken == Taken::Yes).count(),
        WAITING_PINGS,
        "no more than there is room"
    );
    drop(arrived);
    let mut arrived = inbox.listen([&token("second-job-000000")]);
    assert_eq!(ping("first-job-0000000"), Taken::Unknown, "it is known no more");
    assert_eq!(ping("second-job-000000"), Taken::Yes);
    assert_eq!(arrived.try_recv().unwrap().job, 0);
}

#[tokio::test]
async fn a_hook_is_heard_by_the_check_of_its_nonce_and_without_one_by_all() {
    let inbox = Inbox::default();
    let hook = token("a-hook-0000000000");
    assert!(inbox.wait(&hook, "a").is_none(), "it is not known yet");
    inbox.open([&hook]);
    assert_eq!(inbox.call(hook.expose(), None, &call("early")), Taken::Yes);
    let (mut a, mut b) = (inbox.wait(&hook, "a").unwrap(), inbox.wait(&hook, "b").unwrap());
    assert_eq!(inbox.call(hook.expose(), Some("b"), &call("one")), Taken::Yes);
    assert_eq!(inbox.call(hook.expose(), Some("c"), &call("two")), Taken::Yes);
    assert_eq!(inbox.call(hook.expose(), None, &call("three")), Taken::Yes);
    assert_eq!(inbox.call("another-hook-0000", None, &call("four")), Taken::Unknown);
    assert_eq!(a.next().await.unwrap().body, "three", "what came before it waited does not count");
    assert_eq!(b.next().await.unwrap().body, "one");
    assert_eq!(b.next().await.unwrap().body, "three");
    inbox.open([&hook]);
    assert_eq!(inbox.call(hook.expose(), Some("a"), &call("five")), Taken::Yes);
    assert_eq!(a.next().await.unwrap().body, "five", "it goes on over a reload");
    drop((a, b));
    assert_eq!(inbox.state(|state| state.waiting), 0);
    let mut c = inbox.wait(&hook, "c").unwrap();
    inbox.open([]);
    assert!(c.next().await.is_none(), "the hook is gone");
    drop(c);
    assert_eq!(inbox.state(|state| state.waiting), 0);
}
