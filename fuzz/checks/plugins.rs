//! What plugins of monitoring systems print.

use tripline::probe::wire;

/// Whatever a plugin prints is text and numbers, and no more than it printed.
pub(crate) fn perfdata(data: &[u8]) {
    let printed = wire::perfdata::parse(data);
    assert!(printed.text.len() <= 3 * data.len() + 1);
    assert!(printed.perf.len() <= data.len());
    assert!(printed.perf.keys().map(String::len).sum::<usize>() <= 3 * data.len());
    assert!(printed.perf.values().all(|value| value.is_finite()));
}
