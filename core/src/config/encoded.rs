//! Secrets as others write them: a server may say one back in a URL, a form, JSON or HTML, and logs may be JSON.

use url::form_urlencoded::byte_serialize;

use super::text::percent_encoded;

/// The forms of a secret other than the secret itself, each once.
pub fn encodings(secret: &str) -> Vec<String> {
    let mut forms = in_urls(secret);
    forms.extend(in_json(secret));
    forms.extend(in_html(secret));
    // As faults quote what commands and conditions were given.
    forms.push(unquoted(&format!("{secret:?}")));
    // A URL's parser leaves out `..` and what is before it: what remains could be any word.
    forms.retain(|form| form != secret && form.len() >= secret.len());
    forms.sort();
    forms.dedup();
    forms
}

/// As query and path have it, and as forms do (the URL Standard, application/x-www-form-urlencoded).
fn in_urls(secret: &str) -> Vec<String> {
    // With `+` alone too: escapes are decoded before a text is looked through.
    let mut forms =
        vec![percent_encoded(secret), byte_serialize(secret.as_bytes()).collect(), secret.replace(' ', "+")];
    let Ok(mut url) = url::Url::parse("http://localhost/") else { return forms };
    url.set_query(Some(secret));
    forms.push(url.query().unwrap_or_default().to_owned());
    url.set_query(None);
    url.set_path(secret);
    forms.push(url.path().trim_start_matches('/').to_owned());
    forms
}

/// As JSON has it (RFC 8259, section 7): encoders differ in what they escape without need.
fn in_json(secret: &str) -> Vec<String> {
    let plain = unquoted(&serde_json::Value::from(secret).to_string());
    let lower = escaped(&plain, |c| matches!(c, '&' | '<' | '>' | '\''), |unit| format!("\\u{unit:04x}"));
    let upper = escaped(&plain, |c| matches!(c, '&' | '<' | '>' | '\''), |unit| format!("\\u{unit:04X}"));
    let with_ascii = |form: String| {
        let lower = escaped(&form, |c| !c.is_ascii(), |unit| format!("\\u{unit:04x}"));
        let upper = escaped(&form, |c| !c.is_ascii(), |unit| format!("\\u{unit:04X}"));
        [form, lower, upper]
    };
    let with_slashes = |form: String| [form.replace('/', "\\/"), form];
    [plain, lower, upper].into_iter().flat_map(with_ascii).flat_map(with_slashes).collect()
}

/// As HTML has it: each encoder has its own way with quotes.
fn in_html(secret: &str) -> Vec<String> {
    let plain = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quotes = ["\"", "&quot;", "&#34;", "&#x22;"].map(|quote| plain.replace('"', quote));
    let apostrophes = ["'", "&#39;", "&#039;", "&#x27;", "&apos;"];
    quotes.iter().flat_map(|form| apostrophes.map(|apostrophe| form.replace('\'', apostrophe))).collect()
}

/// The text with these characters written by their units of UTF-16.
fn escaped(text: &str, which: impl Fn(char) -> bool, write: impl Fn(u16) -> String) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if which(c) {
            escaped.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| write(*unit)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn unquoted(quoted: &str) -> String {
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_in_every_form_that_others_write() {
        let forms = encodings("a/b&c<d>'\"e f\\ü");
        for form in [
            r#"a\/b&c<d>'\"e f\\ü"#,
            r#"a/b\u0026c\u003cd\u003e\u0027\"e f\\ü"#,
            r#"a\/b\u0026c\u003Cd\u003E\u0027\"e f\\\u00FC"#,
            r#"a/b&c<d>'\"e f\\\u00fc"#,
            r#"a/b&amp;c&lt;d&gt;&#39;&#34;e f\ü"#,
            r#"a/b&amp;c&lt;d&gt;&#x27;&quot;e f\ü"#,
            r#"a/b&amp;c&lt;d&gt;'"e f\ü"#,
            "a%2Fb%26c%3Cd%3E%27%22e+f%5C%C3%BC",
            r#"a/b&c<d>'"e+f\ü"#,
        ] {
            assert!(forms.iter().any(|known| known == form), "{form} is not among {forms:#?}");
        }
    }

    #[test]
    fn a_secret_that_is_the_same_everywhere_has_no_other_form() {
        assert_eq!(encodings("hunter2"), Vec::<String>::new());
        let quoted = ["quoted%22", "quoted&#34;", "quoted&#x22;", "quoted&quot;", "quoted\\\""];
        assert_eq!(encodings("quoted\""), quoted);
    }

    #[test]
    fn what_a_path_loses_makes_no_word_of_its_own() {
        assert!(!encodings("no/such/../x").iter().any(|form| form == "no/x"));
    }
}
