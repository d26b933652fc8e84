//! Markdown that no text from outside can break out of.

/// Text within a paragraph or a table cell: one line, with all that CommonMark and GitHub give a meaning escaped.
#[must_use]
pub fn inline(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in clean(text).split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // Not every program that reads Markdown knows escapes of these.
            '@' => safe.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => {
                // An underscore within a word means nothing.
                if character != '_' {
                    safe.push('\\');
                }
                safe.push(character);
            }
            other => safe.push(other),
        }
    }
    safe
}

/// A block that is shown as it is: its fence is longer than any run of backticks in it (CommonMark, section 4.5).
#[must_use]
pub fn fenced(text: &str) -> String {
    let text = clean(text);
    let (mut longest, mut run) = (0, 0);
    for character in text.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

/// Without control characters but line breaks, and without those that turn the direction of writing.
fn clean(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.replace("\r\n", "\n")
        .chars()
        .filter(|c| !turns(*c))
        .map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_with_fences_and_markup_stays_in_its_block() {
        let block = fenced("before\n````\n# not a heading\n```\n\u{1b}[31m<script>");
        assert_eq!(block, "`````text\nbefore\n````\n# not a heading\n```\n\u{fffd}[31m<script>\n`````\n");
    }

    #[test]
    fn a_line_from_outside_is_one_line_without_markup() {
        assert_eq!(
            inline("a | b\n# **bold** [x](y) <img src=x> `c` \u{202e}not_found"),
            "a \\| b \\# \\*\\*bold\\*\\* \\[x\\](y) &lt;img src=x&gt; \\`c\\` not_found"
        );
    }
}
