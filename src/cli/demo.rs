//! `tripline demo`: the play, on a terminal.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::demo::play::{self, Audience};

use super::{Ending, Misuse};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Keep the forge and the daemon running afterwards, to look around
    #[arg(long)]
    keep: bool,
    /// Only the forge, until Ctrl-C, with a probes.yaml that other commands can use
    #[arg(long, conflicts_with = "keep")]
    forge: bool,
    /// Where the mails and the database go; a new folder for temporary files unless given
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Ending> {
    let folder = args
        .dir
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("tripline-demo-{}", std::process::id())));
    if folder.join(play::DATABASE).exists() {
        let shown = folder.display();
        let fault = format!("{shown} holds an earlier demo; delete it, or name another folder with --dir");
        return Err(Misuse(fault).into());
    }
    if !args.forge {
        println!("Tripline demo: the outage of 2025-02-11, on a small forge on this machine.\n");
    }
    let interrupted = CancellationToken::new();
    let well = super::runtime()?.block_on(async {
        let by = interrupted.clone();
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::spawn(async move {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            by.cancel();
        });
        // Whole, so that it works from any folder.
        let program = std::env::current_exe()?.display().to_string();
        let mut terminal = Terminal { colours: std::io::stdout().is_terminal() };
        if args.forge {
            play::practise(&folder, &program, &mut terminal, interrupted).await?;
            return Ok(true);
        }
        anyhow::Ok(play::play(&folder, args.keep, &program, &mut terminal, interrupted).await?)
    })?;
    Ok(if well { Ending::Well } else { Ending::Unwell })
}

struct Terminal {
    colours: bool,
}

impl Audience for Terminal {
    fn scene(&mut self, after: Duration, text: &str) {
        let colour = match text.split_whitespace().next() {
            Some("FAULT" | "INCIDENT") if self.colours => "\x1b[31m",
            Some("REPAIR") if self.colours => "\x1b[32m",
            Some("MAIL") if self.colours => "\x1b[1m",
            _ => "",
        };
        let plain = if colour.is_empty() { "" } else { "\x1b[0m" };
        println!("{:>6.1}s  {colour}{text}{plain}", after.as_secs_f64());
    }

    fn show(&mut self, text: &str) {
        println!("\n{text}");
    }
}
