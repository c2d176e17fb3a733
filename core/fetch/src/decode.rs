//! Streaming decoders for gzip, Brotli and Zstandard with bounded memory.
//!
//! They are our own thin loops and not the client's transparent decoding, for three reasons:
//! the windows stay within what HTTP allows (a Zstandard frame may otherwise ask for 128 MiB and
//! a "large window" Brotli stream for 1 GiB), the bytes on the wire stay countable, and decoded
//! data reaches the caller from one reused buffer.

use std::io::Write;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::write::MultiGzDecoder;
use http::HeaderValue;
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, Operation};

use crate::{Coding, FetchError, body::Sink};

/// What a request without a byte range accepts.
pub(crate) const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("gzip, br, zstd");

/// The size of the reused output buffer: what one call can produce at most.
const OUTPUT_BYTES: usize = 32 << 10;

/// RFC 9659: a Zstandard window in HTTP is at most 8 MiB, 2 to the power of 23.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

pub(crate) enum Decoder {
    Identity,
    Gzip(MultiGzDecoder<Vec<u8>>),
    Brotli(Box<Brotli>),
    Zstd(Zstd),
}

impl Decoder {
    /// The decoder for a `Content-Encoding`, absent meaning identity.
    pub(crate) fn for_header(header: Option<&HeaderValue>) -> Result<Self, FetchError> {
        let name = header.map_or(b"".as_slice(), HeaderValue::as_bytes).trim_ascii();
        if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
            return Ok(Self::Identity);
        }
        if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") {
            return Ok(Self::Gzip(MultiGzDecoder::new(Vec::new())));
        }
        if name.eq_ignore_ascii_case(b"br") {
            return Ok(Self::Brotli(Box::new(Brotli::new())));
        }
        if name.eq_ignore_ascii_case(b"zstd") {
            return Zstd::new().map(Self::Zstd);
        }
        Err(FetchError::UnknownEncoding)
    }

    pub(crate) fn is_identity(&self) -> bool {
        matches!(self, Self::Identity)
    }

    /// Decodes what has just arrived into the sink.
    pub(crate) fn push(&mut self, wire: &[u8], sink: &mut Sink<'_>) -> Result<(), FetchError> {
        match self {
            Self::Identity => sink.take(wire),
            Self::Gzip(gzip) => push_gzip(gzip, wire, sink),
            Self::Brotli(brotli) => brotli.push(wire, sink),
            Self::Zstd(zstd) => zstd.push(wire, sink),
        }
    }

    /// After the last byte: an unfinished stream was cut short.
    pub(crate) fn finish(&mut self, sink: &mut Sink<'_>) -> Result<(), FetchError> {
        let cut = |sink: &Sink<'_>| FetchError::Truncated { received_bytes: sink.decoded_bytes() };
        match self {
            Self::Identity => Ok(()),
            Self::Gzip(gzip) => {
                let end = gzip.try_finish();
                drain(gzip.get_mut(), sink)?;
                match end {
                    Ok(()) => Ok(()),
                    Err(fault) if fault.kind() == std::io::ErrorKind::UnexpectedEof => Err(cut(sink)),
                    Err(_) => Err(FetchError::Decode { coding: Coding::Gzip }),
                }
            }
            Self::Brotli(brotli) if brotli.done => Ok(()),
            Self::Zstd(zstd) if zstd.frame_complete => Ok(()),
            Self::Brotli(_) | Self::Zstd(_) => Err(cut(sink)),
        }
    }
}

/// One `write` call decodes at most the writer's internal 32 KiB, so the buffer stays small and
/// a bomb is stopped within one step of the cap.
fn push_gzip(
    gzip: &mut MultiGzDecoder<Vec<u8>>,
    mut wire: &[u8],
    sink: &mut Sink<'_>,
) -> Result<(), FetchError> {
    while !wire.is_empty() {
        let taken = gzip.write(wire);
        drain(gzip.get_mut(), sink)?;
        match taken {
            Ok(taken) if taken > 0 => wire = &wire[taken..],
            Ok(_) | Err(_) => return Err(FetchError::Decode { coding: Coding::Gzip }),
        }
    }
    Ok(())
}

fn drain(decoded: &mut Vec<u8>, sink: &mut Sink<'_>) -> Result<(), FetchError> {
    let result = sink.take(decoded);
    decoded.clear();
    result
}

pub(crate) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    output: Vec<u8>,
    done: bool,
}

impl Brotli {
    fn new() -> Self {
        let heap = StandardAlloc::default;
        Self {
            // Strict: without the "large window" extension, which is not part of RFC 7932.
            state: BrotliState::new_strict(heap(), heap(), heap()),
            output: vec![0; OUTPUT_BYTES],
            done: false,
        }
    }

    fn push(&mut self, wire: &[u8], sink: &mut Sink<'_>) -> Result<(), FetchError> {
        let (mut left, mut read, mut total) = (wire.len(), 0, 0);
        loop {
            if self.done {
                return match left {
                    0 => Ok(()),
                    _ => Err(FetchError::Decode { coding: Coding::Brotli }),
                };
            }
            let (mut room, mut written) = (self.output.len(), 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut read,
                wire,
                &mut room,
                &mut written,
                &mut self.output,
                &mut total,
                &mut self.state,
            );
            sink.take(&self.output[..written])?;
            match result {
                BrotliResult::ResultSuccess => self.done = true,
                BrotliResult::NeedsMoreOutput => {}
                BrotliResult::NeedsMoreInput => return Ok(()),
                BrotliResult::ResultFailure => return Err(FetchError::Decode { coding: Coding::Brotli }),
            }
        }
    }
}

pub(crate) struct Zstd {
    decoder: ZstdDecoder<'static>,
    output: Vec<u8>,
    frame_complete: bool,
}

impl Zstd {
    fn new() -> Result<Self, FetchError> {
        let failed = |_| FetchError::Decode { coding: Coding::Zstd };
        let mut decoder = ZstdDecoder::new().map_err(failed)?;
        decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX)).map_err(failed)?;
        Ok(Self { decoder, output: vec![0; OUTPUT_BYTES], frame_complete: true })
    }

    fn push(&mut self, mut wire: &[u8], sink: &mut Sink<'_>) -> Result<(), FetchError> {
        let mut more_output = false;
        while !wire.is_empty() || more_output {
            let step = self.decoder.run_on_buffers(wire, &mut self.output);
            let step = step.map_err(|_| FetchError::Decode { coding: Coding::Zstd })?;
            sink.take(&self.output[..step.bytes_written])?;
            wire = &wire[step.bytes_read..];
            self.frame_complete = step.remaining == 0;
            more_output = step.bytes_written == self.output.len() && !self.frame_complete;
        }
        Ok(())
    }
}
