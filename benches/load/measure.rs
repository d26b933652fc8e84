//! What the bare client and Tripline's side measure alike.

/// The name of the local server.
pub(crate) const HOST: &str = "load.example";

/// Checks that are under way at once when flat out.
pub(crate) const LOOPS: usize = 64;

/// User and system time that a process has used, in microseconds.
pub(crate) fn cpu(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    // Fields 14 and 15 of proc(5), in ticks of 10 ms.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) * 10_000.0
}
