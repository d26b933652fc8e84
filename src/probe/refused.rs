//! What the words mean in which a server refuses.

use super::broken::Broken;
use crate::model::FailureClass;

/// The words of forges and of Git itself, in small letters, and what they mean. The first that fits counts.
const KNOWN_REFUSALS: &[(&str, FailureClass)] = &[
    ("repository not found", FailureClass::NotFound),
    ("does not exist", FailureClass::NotFound),
    ("could not be found", FailureClass::NotFound),
    ("couldn't be found", FailureClass::NotFound),
    ("could not find repository", FailureClass::NotFound),
    ("does not appear to be a git repository", FailureClass::NotFound),
    ("no such repository", FailureClass::NotFound),
    ("not found", FailureClass::NotFound),
    ("rate limit", FailureClass::RateLimited),
    ("too many requests", FailureClass::RateLimited),
    ("unauthorized", FailureClass::Unauthorized),
    ("authentication failed", FailureClass::Unauthorized),
    ("access denied", FailureClass::Forbidden),
    ("permission denied", FailureClass::Forbidden),
    ("forbidden", FailureClass::Forbidden),
    ("not allowed", FailureClass::Forbidden),
    ("do not have access", FailureClass::Forbidden),
    ("don't have access", FailureClass::Forbidden),
    ("hook declined", FailureClass::Forbidden),
    ("prohibited", FailureClass::Forbidden),
    ("denied", FailureClass::Forbidden),
];

/// The class of a refusal; one in other words is the server's own fault.
pub(super) fn class(words: &str) -> FailureClass {
    let words = words.to_ascii_lowercase();
    KNOWN_REFUSALS
        .iter()
        .find(|(known, _)| words.contains(known))
        .map_or(FailureClass::ServerError, |(_, class)| *class)
}

/// The failure of a server that refused in these words.
pub(in crate::probe) fn refused(words: &str) -> Broken {
    Broken::failed(class(words), format!("the server refused: {}", words.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_large_forges_are_understood() {
        let words = [
            ("ERROR: Repository not found.\nfatal: Could not read from remote repository.", FailureClass::NotFound),
            ("repository access denied. access via a deployment key is read-only.", FailureClass::Forbidden),
            (
                "GitLab: The project you were looking for could not be found or you don't have permission to view it.",
                FailureClass::NotFound,
            ),
            ("fatal: '/srv/none.git' does not appear to be a git repository", FailureClass::NotFound),
            ("Gitea: Repository does not exist", FailureClass::NotFound),
            ("deletion prohibited", FailureClass::Forbidden),
            ("pre-receive hook declined", FailureClass::Forbidden),
            ("upload-pack: internal error", FailureClass::ServerError),
        ];
        for (said, meant) in words {
            assert_eq!(class(said), meant, "{said}");
        }
    }
}
