//! The few headers of a mail that the sink shows (RFC 5322), and encoded words in them (RFC 2047).

/// How long a file name's slug may be, in characters.
const SLUG: usize = 60;

/// The value of a header, unfolded, as it stands there.
#[must_use]
pub fn header(mail: &[u8], name: &str) -> Option<String> {
    let mail = String::from_utf8_lossy(mail);
    let mut lines = mail.split("\r\n").take_while(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let mut value = value.trim().to_owned();
        while let Some(more) = lines.next_if(|line| line.starts_with([' ', '\t'])) {
            value.push(' ');
            value.push_str(more.trim());
        }
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value);
        }
    }
    None
}

/// The subject, decoded as far as it can be; empty when there is none.
#[must_use]
pub fn subject(mail: &[u8]) -> String {
    let mut text = String::new();
    let mut after_encoded = false;
    for word in header(mail, "subject").unwrap_or_default().split_ascii_whitespace() {
        let decoded = decode(word);
        // The space between two encoded words is not part of the text.
        let joined = after_encoded && decoded.is_some();
        if !text.is_empty() && !joined {
            text.push(' ');
        }
        after_encoded = decoded.is_some();
        text.push_str(decoded.as_deref().unwrap_or(word));
    }
    text
}

/// Decodes `=?charset?B?...?=` or `=?charset?Q?...?=`; what is not ASCII is no encoded word (RFC 2047, section 2).
fn decode(word: &str) -> Option<String> {
    let inner = word.strip_prefix("=?")?.strip_suffix("?=")?;
    let [charset, encoding, text] = inner.splitn(3, '?').collect::<Vec<_>>().try_into().ok()?;
    let bytes = match encoding {
        "B" | "b" => base64(text)?,
        "Q" | "q" => quoted(text)?,
        _ => return None,
    };
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" | "us-ascii" => Some(String::from_utf8_lossy(&bytes).into_owned()),
        "iso-8859-1" => Some(bytes.into_iter().map(char::from).collect()),
        _ => None,
    }
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

fn quoted(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut letters = text.bytes();
    while let Some(letter) = letters.next() {
        bytes.push(match letter {
            b'_' => b' ',
            b'=' => {
                let mut digit = || char::from(letters.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            letter if letter.is_ascii() => letter,
            _ => return None,
        });
    }
    Some(bytes)
}

/// The subject as part of a file name: letters a to z, digits and single hyphens, so it can name no other folder.
#[must_use]
pub fn slug(subject: &str) -> String {
    let mut slug = String::new();
    for letter in subject.chars().flat_map(char::to_lowercase) {
        if slug.len() >= SLUG {
            break;
        }
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "no-subject".into() } else { slug.into() }
}
