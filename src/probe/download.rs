//! Downloads: content that is checked as it streams by, and never kept whole.

use std::io::Write;
use std::time::Duration;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use flate2::write::MultiGzDecoder;

use super::broken::Broken;
use super::wire::zip;
use crate::model::{Download, FailureClass, Integrity};

/// So much is inflated before others get their turn, in bytes as they came: they may become a thousand times as many.
const DOWNLOAD_SLICE: usize = 4 * 1024;

/// What came of a download, for expectations.
pub(super) struct Receipt {
    pub(super) bytes: u64,
    /// In hexadecimal digits, where anyone asks for it.
    pub(super) sha256: Option<String>,
    /// Bytes in a second, from the first byte to the last.
    pub(super) throughput: u64,
}

/// A download under way.
pub(super) struct Receiving {
    wanted: Download,
    bytes: u64,
    hash: Option<digest::Context>,
    format: Format,
}

enum Format {
    Any,
    Gzip(Box<MultiGzDecoder<std::io::Sink>>),
    Zip(Box<zip::Check>),
}

impl Receiving {
    /// Of a body that is told to have so many bytes, if that is told.
    pub(super) fn begin(wanted: Download, hashed: bool, told: Option<u64>) -> Result<Self, Broken> {
        if let Some(told) = told.filter(|told| *told > wanted.max_size) {
            return Err(too_large(&wanted, &format!("it is to have {told}")));
        }
        let format = match wanted.integrity {
            None => Format::Any,
            Some(Integrity::Gzip) => Format::Gzip(Box::new(MultiGzDecoder::new(std::io::sink()))),
            Some(Integrity::Zip) => Format::Zip(Box::default()),
        };
        let hash = (hashed || wanted.sha256.is_some()).then(|| digest::Context::new(&digest::SHA256));
        Ok(Self { wanted, bytes: 0, hash, format })
    }

    /// Takes the next part. Others get their turns in between, however much there is to unpack.
    pub(super) async fn take(&mut self, part: &[u8]) -> Result<(), Broken> {
        self.bytes += part.len() as u64;
        if self.bytes > self.wanted.max_size {
            return Err(too_large(&self.wanted, "it has more"));
        }
        if let Some(hash) = &mut self.hash {
            hash.update(part);
        }
        for slice in part.chunks(DOWNLOAD_SLICE) {
            match &mut self.format {
                Format::Any => return Ok(()),
                Format::Gzip(gzip) => gzip.write_all(slice).map_err(|error| no_gzip(&error))?,
                Format::Zip(zip) => zip.feed(slice).map_err(no_zip)?,
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// All has come, in this time from the first byte: judges the whole.
    pub(super) fn end(self, took: Duration) -> Result<Receipt, Broken> {
        let Self { wanted, bytes, hash, format } = self;
        if bytes < wanted.min_size {
            let fault = format!("expected at least {} bytes, it has {bytes}", wanted.min_size);
            return Err(corrupt(fault));
        }
        match format {
            Format::Any => {}
            Format::Gzip(mut gzip) => gzip.try_finish().map_err(|error| no_gzip(&error))?,
            Format::Zip(zip) => {
                zip.finish().map_err(no_zip)?;
            }
        }
        let hash = hash.map(digest::Context::finish);
        let digits = hash.as_ref().map(|hash| HEXLOWER.encode(hash.as_ref()));
        if let (Some(wanted), Some(hash), Some(digits)) = (&wanted.sha256, &hash, &digits)
            && hash.as_ref() != wanted
        {
            return Err(corrupt(format!("expected SHA-256 {}, it was {digits}", HEXLOWER.encode(wanted))));
        }
        let throughput = (u128::from(bytes) * 1_000_000_000 / took.as_nanos().max(1)).try_into().unwrap_or(u64::MAX);
        if let Some(least) = wanted.min_throughput.filter(|least| throughput < *least) {
            let fault = format!(
                "expected at least {least} bytes a second, it came with {throughput}: {bytes} bytes in {}",
                crate::model::unit::show_duration(took)
            );
            return Err(Broken::failed(FailureClass::Expectation, fault));
        }
        Ok(Receipt { bytes, sha256: digits, throughput })
    }
}

fn corrupt(fault: String) -> Broken {
    Broken::Failed(FailureClass::Corrupt, fault)
}

fn too_large(wanted: &Download, found: &str) -> Broken {
    corrupt(format!("expected at most {} bytes, {found}", wanted.max_size))
}

fn no_gzip(error: &std::io::Error) -> Broken {
    let what = match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "it ends early",
        std::io::ErrorKind::InvalidInput if error.to_string().contains("header") => "it is no gzip file",
        _ => return corrupt(format!("the gzip file is damaged: {error}")),
    };
    corrupt(format!("the gzip file is damaged: {what}"))
}

fn no_zip(fault: zip::Fault) -> Broken {
    match fault {
        zip::Fault::Damaged(what) => corrupt(format!("the ZIP archive is damaged: {what}")),
        zip::Fault::Unsupported(what) => {
            Broken::Failed(FailureClass::Expectation, format!("the ZIP archive cannot be checked: {what}"))
        }
    }
}
