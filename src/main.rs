//! The command `tripline`: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    tripline::cli::main()
}
