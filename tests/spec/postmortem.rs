//! The review of the outage of 2025-02-11, drafted from what the daemon would have stored.

use crate::given::seconds;
use crate::story::{BEFORE, CONFIG, forget, store};
use crate::terminal::tripline;

#[tokio::test]
async fn the_draft_says_who_was_hit_when_and_how_it_was_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let id = store(folder.path(), "<h1>404</h1>").await;
    let out = tripline(folder.path(), &["postmortem", &id.short()]).with(0).out;
    for part in [
        "# Post-incident review: Example Forge, 404 Not Found for workspace=globex on Website, API, Git via HTTPS",
        "From 2025-02-11 15:41:01 UTC until 2025-02-11 16:25:49 UTC: 404 Not Found for workspace=globex",
        "| Duration, from the first bad check to the last | 44m48s |",
        "| Time to detect | 20s |",
        "| Time to the first delivery | 25s |",
        "405 of 2555 checks failed in this time.",
        "| Website | 135 | 539 | 25.0% | 135 | 135 | 100.0% |",
        "| globex | 405 | 405 | 100.0% |\n| acme | 0 | 404 | 0.0% |",
        "| Not found | 404 | 405 | 100.0% |",
        "No check failed on Authentication",
        "| 2025-02-11 15:41:21 | Detected: opened: rule unusual-failures for",
        "delivered at 15:41:26 (2 attempts) |",
        "| 2025-02-11 16:25:49 | Last failed check ended |",
        "| not-found-spike | 24s |",
        "## Root cause\n\n*What failed",
        "## Remedial actions and next steps\n\n*",
        "```text\nGET https://forge.example/globex/\nexpected status == 200, status was 404\n",
    ] {
        assert!(out.contains(part), "{part}\n---\n{out}");
    }
}

#[tokio::test]
async fn a_message_that_reached_nobody_is_in_the_draft_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let id = store(folder.path(), "").await;
    let database = rusqlite::Connection::open(folder.path().join("tripline.db")).unwrap();
    let fail = "UPDATE delivery SET state = 2;
                UPDATE attempt SET outcome = 2, text = 'receiver oncall is not configured any more' WHERE outcome = 1";
    database.execute_batch(fail).unwrap();
    drop(database);
    let out = tripline(folder.path(), &["postmortem", &id.short()]).with(0).out;
    assert!(out.contains(": FAILED: receiver oncall is not configured any more (2 attempts) |"), "{out}");
    assert!(!out.contains("that a server took"), "{out}");
}

#[tokio::test]
async fn a_hostile_body_does_not_break_out_of_its_block() {
    let folder = tempfile::tempdir().unwrap();
    let id = store(folder.path(), "```\n# Owned\n````\n<script>alert(1)</script>\u{1b}[2J").await;
    let out = tripline(folder.path(), &["postmortem", &id.short()]).with(0).out;
    let block = out.split("`````text\n").nth(1).unwrap().split("\n`````\n").next().unwrap();
    assert!(block.contains("# Owned\n````\n<script>") && !out.contains('\u{1b}'), "{out}");
    assert_eq!(out.matches("# Owned").count(), out.matches("`````text\n").count(), "only within blocks");
}

#[tokio::test]
async fn results_that_are_gone_are_named_instead_of_counted_wrongly() {
    let folder = tempfile::tempdir().unwrap();
    let id = store(folder.path(), "").await;
    forget(folder.path(), BEFORE + seconds(1_800));
    let out = tripline(folder.path(), &["postmortem", &id.short()]).with(0).out;
    assert!(
        out.contains("**Not all results are there.** The results before 2025-02-11 16:01:00 UTC are not"),
        "{out}"
    );
    assert!(out.contains("cannot be said, because not all results are there"), "{out}");
    assert!(!out.contains("### By component") && !out.contains("Last failed check"), "{out}");
    forget(folder.path(), BEFORE + seconds(7_200));
    let out = tripline(folder.path(), &["postmortem", &id.short()]).with(0).out;
    assert!(out.contains("No result of its time is stored any more."), "{out}");
}

#[tokio::test]
async fn a_rule_that_was_in_breach_before_it_began_is_not_one_that_never_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let id = store(folder.path(), "").await;
    let bent = "rules:\n  too-well: {bad: status == 200, above: 50%, within: 2m}\n";
    std::fs::write(folder.path().join("probes.yaml"), CONFIG.replace("rules:\n", bent)).unwrap();
    let out = tripline(folder.path(), &["postmortem", &id.short()]).with(0).out;
    assert!(out.contains("| too-well | before it began | for "), "{out}");
    assert!(out.contains("| website-slow | never | it would not have noticed |"), "{out}");
}

#[tokio::test]
async fn a_file_is_written_once_and_a_wrong_id_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let id = store(folder.path(), "").await;
    assert_eq!(tripline(folder.path(), &["postmortem", &id.short(), "-o", "review.md"]).with(0).out, "review.md\n");
    assert!(std::fs::read_to_string(folder.path().join("review.md")).unwrap().starts_with("# Post-incident review"));
    let ended = tripline(folder.path(), &["postmortem", &id.short(), "-o", "review.md"]).with(2);
    assert!(ended.err.contains("name a file that does not exist"), "{}", ended.err);
    tripline(folder.path(), &["postmortem", "nonesuch"]).with(2);
}
