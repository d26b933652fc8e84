//! Has the crate rebuilt when a migration is added: the macro that embeds `migrations/` does not notice new files. And
//! has the program's relocations packed where the system can read them.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=build.rs");
    if reads_packed_relocations() {
        // RELR: a twentieth of the size, and the loader reads them all. Linkers that do not know it say so and go on.
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether this is the system that is built for, and its loader knows RELR: glibc does since 2.36.
fn reads_packed_relocations() -> bool {
    let is = |name, value: &str| std::env::var(name).is_ok_and(|set| set == value);
    if !is("CARGO_CFG_TARGET_ENV", "gnu") || std::env::var("TARGET") != std::env::var("HOST") {
        return false;
    }
    let Ok(output) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.trim().strip_prefix("glibc 2.").and_then(|minor| minor.parse::<u32>().ok());
    version.is_some_and(|minor| minor >= 36)
}
