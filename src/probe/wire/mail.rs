//! A mail as it arrived (RFC 5322, MIME), and what the receiving server found out about it (RFC 8601).

use std::collections::BTreeMap;

use mail_parser::{MessageParser, PartType};

/// The most headers that are kept.
const MOST_HEADERS_KEPT: usize = 200;
/// How much of a text is kept, in bytes.
const MOST_TEXT_KEPT: usize = 512 * 1024;

/// What can be looked at in a mail.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mail {
    /// Names in lower case and values on one line, in the order in which they stand.
    pub headers: Vec<(String, String)>,
    /// Decoded; empty: none.
    pub subject: String,
    /// The text: the plain part, else what is to be read of the HTML part.
    pub text: String,
    /// The HTML part as it is, if there is one.
    pub html: Option<String>,
}

/// Reads a mail, whole or its beginning; `None` when it has no headers at all.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Mail> {
    let message = MessageParser::default().parse(bytes)?;
    let one_line = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
    let headers: Vec<(String, String)> = message
        .headers_raw()
        .take(MOST_HEADERS_KEPT)
        .map(|(name, value)| (name.to_ascii_lowercase(), one_line(value)))
        .collect();
    if headers.is_empty() {
        return None;
    }
    let html = message.html_bodies().find_map(|part| match &part.body {
        PartType::Html(html) => Some(cut(html)),
        _ => None,
    });
    Some(Mail {
        headers,
        subject: message.subject().unwrap_or_default().to_owned(),
        text: message.body_text(0).map(|text| cut(&text)).unwrap_or_default(),
        html,
    })
}

fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(MOST_TEXT_KEPT)).unwrap_or_default().to_owned()
}

impl Mail {
    /// The first header of this name, in lower case. The first is the one that was added last on the way.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The results in the value of an Authentication-Results header, by method: `spf`: `pass`. Of several results of one
/// method `pass` counts, else the first.
#[must_use]
pub fn authentication(value: &str) -> BTreeMap<String, String> {
    let mut results = BTreeMap::new();
    // The first part names who judged.
    for part in without_comments(value).split(';').skip(1) {
        let Some((method, rest)) = part.split_once('=') else { continue };
        let method = method.split('/').next().unwrap_or_default().trim().to_ascii_lowercase();
        let result = rest.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let sound = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if sound(&method) && sound(&result) && (result == "pass" || !results.contains_key(&method)) {
            results.insert(method, result);
        }
    }
    results
}

/// The value without its comments, which stand in brackets and may be nested (RFC 5322, section 3.2.2), and without
/// what stands in quotes.
fn without_comments(value: &str) -> String {
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    let keep = |c: &char| {
        if std::mem::take(&mut escaped) {
            return false;
        }
        match c {
            '\\' => {
                escaped = true;
                return false;
            }
            '"' if depth == 0 => {
                quoted = !quoted;
                return false;
            }
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth > 0 => {
                depth -= 1;
                return false;
            }
            _ => {}
        }
        depth == 0 && !quoted
    };
    value.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_mail_of_two_parts_gives_its_text_its_html_and_its_headers() {
        let mail = "Received: from a\r\n by b\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\n\
            Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n\
            --x\r\nContent-Type: text/html\r\n\r\n<a href=\"https://example.com/\">go</a>\r\n--x--\r\n";
        let found = read(mail.as_bytes()).unwrap();
        assert_eq!(found.subject, "Grüße");
        assert_eq!(found.header("received"), Some("from a by b"));
        assert_eq!(found.text.trim(), "hello");
        assert_eq!(found.html.unwrap().trim(), "<a href=\"https://example.com/\">go</a>");
        assert_eq!(read(b""), None);
    }

    #[test]
    fn results_of_authentication_are_read_without_their_comments() {
        let value = "mx.example.org 1; spf=pass (sender; is=fail) smtp.mailfrom=a@b.c; dkim=fail header.d=x.org; \
            dkim=pass header.d=b.c; DMARC/1=Fail (p=none) header.from=\"a;spf=fail\"; arc";
        let found = authentication(value);
        let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(found, [("dkim", "pass"), ("dmarc", "fail"), ("spf", "pass")]);
        assert!(authentication("spf=pass").is_empty(), "the first part names who judged");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(start in "(Subject: x\r\n|Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n|)", bytes in proptest::collection::vec(any::<u8>(), 0..3_000)) {
            let _ = read(&[start.as_bytes(), &bytes].concat());
            let _ = authentication(&String::from_utf8_lossy(&bytes));
        }
    }
}
