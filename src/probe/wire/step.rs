//! How far a parser came with the bytes that have arrived so far.

/// What the bytes so far came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step<T> {
    /// A whole unit, and how many bytes it took from the beginning.
    Whole(T, usize),
    /// Not enough: there must be at least so many bytes in all before it is worth looking again.
    More(usize),
}

/// The first line, without its line break, and how many bytes it took with it; `None` while it is not whole. A bare LF
/// ends a line too, as most readers take it.
///
/// # Errors
/// When the line is longer than `most` bytes, whole or not.
pub fn line(bytes: &[u8], most: usize) -> Result<Option<(&[u8], usize)>, String> {
    let seen = bytes.get(..bytes.len().min(most.saturating_add(2))).unwrap_or(bytes);
    match seen.iter().position(|byte| *byte == b'\n') {
        Some(end) => {
            let line = bytes.get(..end).unwrap_or_default();
            Ok(Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1)))
        }
        None if bytes.len() > most => Err(format!("a line is longer than {most} bytes")),
        None => Ok(None),
    }
}
