//! Has the crate rebuilt when a migration is added: the macro that embeds `migrations/` does not notice new files.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
