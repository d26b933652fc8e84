//! The fields of headers: numbers, little end first; zero where there is none.

/// A length that stands in the ZIP64 field instead.
const ELSEWHERE: u32 = u32::MAX;

/// The ZIP64 field of a header (APPNOTE, 4.5.3): values for those that did not fit, in a set order.
pub(super) struct Wide<'a>(&'a [u8]);

impl<'a> Wide<'a> {
    pub(super) fn of(mut extra: &'a [u8]) -> Self {
        while extra.len() >= 4 {
            let length = usize::from(u16_at(extra, 2));
            let field = extra.get(4..4 + length).unwrap_or_default();
            if u16_at(extra, 0) == 1 {
                return Self(field);
            }
            extra = extra.get(4 + length..).unwrap_or_default();
        }
        Self(&[])
    }

    pub(super) fn replace(&mut self, value: &mut u64) {
        if *value == u64::from(ELSEWHERE) && self.0.len() >= 8 {
            *value = u64_at(self.0, 0);
            self.0 = self.0.get(8..).unwrap_or_default();
        }
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..at + N).and_then(|part| part.try_into().ok()).unwrap_or([0; N])
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}
