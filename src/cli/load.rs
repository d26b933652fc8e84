//! Reading the configuration from the outside: its file, the environment, and the files it names.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::config::{self, Config, Outside};
use crate::probe::{ProbeFault, Prober, Roots};

use super::Misuse;

/// A configuration file, and the files it names, are at most so large.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// Reads and checks the configuration.
pub(super) fn load(path: &Path) -> Result<Config, Misuse> {
    let text = text(path, |fault| unreadable(path, fault)).map_err(Misuse)?;
    config::load(&path.display().to_string(), &text, &Here::of(path))
        .map_err(|problems| Misuse(format!("the configuration is refused\n{problems}")))
}

/// Makes the probes ready to be asked: some faults only show then, as a key that cannot be read.
pub(super) fn prober(path: &Path, config: &Config) -> Result<Prober, Misuse> {
    let made = Prober::new(&config.probes, config.location.clone(), config.secrets.clone(), &Roots::load());
    made.map_err(|fault| unready(path, &fault))
}

/// What is told of a probe that cannot be made ready: the configuration is wrong.
pub(super) fn unready(path: &Path, fault: &ProbeFault) -> Misuse {
    Misuse(format!("the configuration is refused\n{}: {fault}", path.display()))
}

/// The text of a file; `unreadable` says what is told when it cannot be read.
pub(super) fn text(path: &Path, unreadable: impl Fn(&str) -> String) -> Result<String, String> {
    let bytes = read(path).map_err(|fault| unreadable(&fault))?;
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("{}:{line}: this line is not UTF-8; save the file as UTF-8 text", path.display())
    })
}

/// Says why the file cannot be read, and what to do.
fn unreadable(path: &Path, fault: &str) -> String {
    let shown = path.display();
    let remedy = "name yours with --config FILE or in TRIPLINE_CONFIG";
    match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            format!("there is no configuration {shown}; {remedy}")
        }
        Ok(found) if found.is_dir() => format!("{shown} is a folder, not a configuration; {remedy}"),
        _ => format!("the configuration {shown} cannot be read: {fault}"),
    }
}

/// This process's environment and the files as seen from the configuration's folder.
pub(super) struct Here {
    folder: PathBuf,
}

impl Here {
    /// Files are looked for beside this one.
    pub(super) fn of(path: &Path) -> Self {
        Self { folder: path.parent().map(Path::to_path_buf).unwrap_or_default() }
    }
}

impl Outside for Here {
    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        let path = self.folder.join(path);
        // A pipe or a terminal would be waited for, and has nothing more to give when the configuration is read again.
        match std::fs::metadata(&path) {
            Ok(about) if !about.is_file() => Err("it is no regular file".to_owned()),
            _ => read(&path),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(format!("it is larger than {} MiB, more than any configuration", LARGEST_FILE / 1024 / 1024));
    }
    Ok(bytes)
}
