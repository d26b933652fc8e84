//! What a condition's text may be before a parser sees it: short, shallow, of few words.
//!
//! The parser and the evaluator are recursive; these bounds keep both far from the end of the stack, whatever
//! the text.

use super::ConditionFault;

/// The longest text, in bytes.
const MOST_BYTES: usize = 1_000;
/// The most words and signs outside of quotes.
const MOST_TOKENS: usize = 200;
/// The deepest nesting of brackets.
const DEEPEST_BRACKETS: usize = 12;

/// Checks the text's length, its words and its brackets.
pub(super) fn check_text(source: &str) -> Result<(), ConditionFault> {
    let fault = |fault: String, remedy: &str, column| ConditionFault { fault, remedy: remedy.into(), column };
    if source.trim().is_empty() {
        return Err(fault("the condition is empty".into(), "write one like status == 200", None));
    }
    if source.len() > MOST_BYTES {
        let text = format!("the condition is longer than {MOST_BYTES} bytes");
        return Err(fault(text, "split it: all conditions of a list must hold", None));
    }
    let chars: Vec<char> = source.chars().collect();
    let (mut at, mut tokens) = (0, 0_usize);
    let mut open: Vec<(char, usize)> = Vec::new();
    while let Some(&c) = chars.get(at) {
        let start = at;
        at += 1;
        match c {
            '"' | '\'' => {
                let raw = is_raw(&chars, start);
                at = end_of_text(&chars, start, raw).ok_or_else(|| {
                    fault("a quote is not closed".into(), "close it with the same kind of quote", Some(start))
                })?;
            }
            '(' | '[' | '{' => {
                open.push((c, start));
                if open.len() > DEEPEST_BRACKETS {
                    let text = format!("brackets are nested deeper than {DEEPEST_BRACKETS} levels");
                    return Err(fault(text, "split it: all conditions of a list must hold", Some(start)));
                }
            }
            ')' | ']' | '}' => match open.pop() {
                Some(('(', _)) if c == ')' => {}
                Some(('[', _)) if c == ']' => {}
                Some(('{', _)) if c == '}' => {}
                _ => {
                    return Err(fault(
                        format!("`{c}` closes nothing that is open"),
                        "check the brackets",
                        Some(start),
                    ));
                }
            },
            c if is_word(c) => at += chars.iter().skip(at).take_while(|c| is_word(**c)).count(),
            c if c.is_whitespace() => continue,
            c if c.is_ascii_graphic() => {}
            _ => return Err(fault(format!("`{c}` means nothing here"), "put texts in quotes", Some(start))),
        }
        tokens += 1;
        if tokens > MOST_TOKENS {
            let text = format!("the condition has more than {MOST_TOKENS} words and signs");
            return Err(fault(text, "split it: all conditions of a list must hold", Some(start)));
        }
    }
    match open.pop() {
        Some((bracket, start)) => Err(fault(format!("`{bracket}` is not closed"), "close it", Some(start))),
        None => Ok(()),
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether the quote is led by `r`, so that a backslash in it is only a backslash.
fn is_raw(chars: &[char], quote: usize) -> bool {
    let prefix = chars[..quote].iter().rev().take_while(|c| is_word(**c)).collect::<Vec<_>>();
    matches!(prefix[..], ['r' | 'R'] | ['b' | 'B', 'r' | 'R'] | ['r' | 'R', 'b' | 'B'])
}

/// The place after the closing quote.
fn end_of_text(chars: &[char], start: usize, raw: bool) -> Option<usize> {
    let quote = *chars.get(start)?;
    let triple = chars.get(start + 1) == Some(&quote) && chars.get(start + 2) == Some(&quote);
    let mut at = start + if triple { 3 } else { 1 };
    while let Some(&c) = chars.get(at) {
        if c == '\\' && !raw {
            at += 2;
        } else if c == quote && !triple {
            return Some(at + 1);
        } else if c == quote && chars.get(at + 1) == Some(&quote) && chars.get(at + 2) == Some(&quote) {
            return Some(at + 3);
        } else {
            at += 1;
        }
    }
    None
}
