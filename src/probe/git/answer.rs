//! An answer, frame by frame, within bounds.

use super::super::broken::Broken;
use super::super::question::Seen;
use super::super::refused::refused;
use super::super::wire::pktline::{Decoder, Packet};
use super::Transport;
use crate::model::FailureClass;

/// One frame.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Frame {
    Flush,
    Delimiter,
    ResponseEnd,
    Data(Vec<u8>),
}

/// An answer that is being read.
pub(super) struct Answer<'t, T> {
    transport: &'t mut T,
    decoder: Decoder,
    what: &'static str,
    read: u64,
    most: u64,
}

pub(super) fn protocol(fault: impl Into<String>) -> Broken {
    Broken::failed(FailureClass::Protocol, fault)
}

impl<'t, T: Transport> Answer<'t, T> {
    /// What the server says of this, up to so many bytes.
    pub(super) fn new(transport: &'t mut T, what: &'static str, most: u64) -> Self {
        Self { transport, decoder: Decoder::default(), what, read: 0, most }
    }

    /// The next frame. Where the server ends before its time, or says why it will not go on, that is a failure.
    pub(super) async fn next(&mut self, seen: &mut Seen) -> Result<Frame, Broken> {
        loop {
            match self.decoder.frame().map_err(|fault| protocol(format!("{}: {fault}", self.what)))? {
                Some(Packet::Flush) => return Ok(Frame::Flush),
                Some(Packet::Delimiter) => return Ok(Frame::Delimiter),
                Some(Packet::ResponseEnd) => return Ok(Frame::ResponseEnd),
                Some(Packet::Data(payload)) => {
                    if let Some(words) = super::super::wire::git::refusal(payload) {
                        return Err(refused(&words));
                    }
                    return Ok(Frame::Data(payload.to_vec()));
                }
                None => {}
            }
            let Some(chunk) = self.transport.chunk(seen).await? else {
                let fault = format!("{} was cut short after {} bytes", self.what, self.read);
                return Err(Broken::failed(FailureClass::Corrupt, fault));
            };
            self.read += chunk.len() as u64;
            if self.read > self.most {
                return Err(protocol(format!("{} has more than {} bytes", self.what, self.most)));
            }
            seen.hear(&chunk);
            self.decoder.feed(&chunk);
        }
    }

    /// Nothing may follow: what does belongs to nothing that was asked.
    pub(super) fn end(self) -> Result<(), Broken> {
        match self.decoder.left() {
            0 => Ok(()),
            left => Err(protocol(format!("{left} bytes follow the end of {}", self.what))),
        }
    }
}
