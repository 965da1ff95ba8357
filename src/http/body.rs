//! Chapter 34, part 5: where a body ends, found out without doing any I/O.
//!
//! [`Decoder`] is given the bytes that came and says how many it used and which of them are data.
//! It keeps no bytes, so cutting the input anywhere changes nothing:
//!
//! ```
//! use oneloop::http::{Limits, body::{Decoder, Framing}};
//!
//! let mut decoder = Decoder::new(Framing::Chunked, &Limits::default())?;
//! let mut input: &[u8] = b"5\r\nHello\r\n0\r\n\r\nsurplus";
//! let mut body = Vec::new();
//! while !decoder.is_done() {
//!     let (used, data) = decoder.decode(input)?;
//!     body.extend_from_slice(data);
//!     input = &input[used..];
//! }
//! assert_eq!((&body[..], input), (&b"Hello"[..], &b"surplus"[..]));
//! # Ok::<(), oneloop::http::ErrorKind>(())
//! ```
//!
//! A chunked body (RFC 9112, section 7.1) walks through these states; the one rule beyond the RFC is
//! that a line ends in CR LF and nothing else, as a bare LF is how one receiver is made to see another
//! message than the next (Go's CVE-2025-22871, aiohttp's CVE-2024-52304):
//!
//! ```text
//!            hex            CR         LF          all data       CR         LF
//!  ─► Size ──────► Digits ─────► SizeLf ─────► Data ────────► DataCr ───► DataLf ─► Size
//!                    │ ; SP TAB   ▲ │ size 0
//!                    └► Extension ┘ └──► Trailer ─ line ─► TrailerLf ─► Trailer
//!                                           └── CR (line is empty) ─► EndLf ─ LF ─► Done
//! ```
//!
//! Before: `http/buffer.rs`. Next: `http/head.rs`, reading heads.

use super::error::ErrorKind;
use super::limits::Limits;

/// How a message says where its body ends (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes; 0 when there is no body.
    Length(u64),
    /// After the chunk of size 0.
    Chunked,
    /// When the connection is closed; only a response can say so.
    UntilClose,
}

/// Finds the data in the bytes of one body, and its end. Does no I/O and keeps no bytes.
#[derive(Clone, Debug)]
pub struct Decoder {
    state: State,
    /// Bytes of data so far.
    got: u64,
    /// What `Content-Length` promised.
    expected: Option<u64>,
    /// Bytes of chunk extensions so far.
    extensions: usize,
    /// Bytes of trailers so far.
    trailers: usize,
    limits: Limits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So many bytes of data are still to come.
    Length(u64),
    UntilClose,
    Size,
    /// The size so far, and how many digits it has.
    Digits(u64, u8),
    /// Between the digits and the CR; holds the size.
    Extension(u64),
    SizeLf(u64),
    /// So many bytes of this chunk are still to come.
    Data(u64),
    DataCr,
    DataLf,
    /// In a trailer line; whether it is still empty.
    Trailer {
        empty: bool,
    },
    TrailerLf,
    EndLf,
    Done,
}

/// `ffff_ffff_ffff_ffff` has 16 digits; more could only be leading zeros or too much.
const MAX_SIZE_DIGITS: u8 = 16;

impl Decoder {
    /// A decoder for one body.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] at once if the promised length is beyond `limits.body_bytes`.
    pub fn new(framing: Framing, limits: &Limits) -> Result<Decoder, ErrorKind> {
        let state = match framing {
            Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Size,
            Framing::UntilClose => State::UntilClose,
        };
        let expected = match framing {
            Framing::Length(length) => Some(length),
            _ => None,
        };
        let decoder = Decoder { state, got: 0, expected, extensions: 0, trailers: 0, limits: *limits };
        decoder.check_room_for(expected.unwrap_or(0))?;
        Ok(decoder)
    }

    /// Whether the body has ended. Bytes after this are not part of it.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Bytes of data so far.
    pub fn got(&self) -> u64 {
        self.got
    }

    /// The length that was promised; `None` for a chunked body and one that ends with the connection.
    pub fn expected(&self) -> Option<u64> {
        self.expected
    }

    /// How many of the next bytes are surely data, so that they may be read straight to their place:
    /// then say [`took`](Decoder::took) instead of `decode`. 0 inside chunked framing, where reading
    /// past the chunk in one go saves more than the copy costs.
    pub fn straight(&self) -> u64 {
        match self.state {
            State::Length(left) => left,
            // One byte beyond the limit shows that the body is too large.
            State::UntilClose => (self.limits.body_bytes - self.got).saturating_add(1),
            _ => 0,
        }
    }

    /// `n` bytes of data were read by the caller, at most as many as [`straight`](Decoder::straight) said.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] if the body has passed its limit.
    pub fn took(&mut self, n: u64) -> Result<(), ErrorKind> {
        debug_assert!(n <= self.straight(), "more was taken than surely is data");
        self.check_room_for(n)?;
        self.got += n;
        if let State::Length(left) = self.state {
            self.state = if left <= n { State::Done } else { State::Length(left - n) };
        }
        Ok(())
    }

    /// The connection has ended.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ShortBody`] unless the body may end here.
    pub fn end_of_input(&mut self) -> Result<(), ErrorKind> {
        match self.state {
            State::UntilClose | State::Done => {
                self.state = State::Done;
                Ok(())
            }
            _ => Err(ErrorKind::ShortBody { expected: self.expected, got: self.got }),
        }
    }

    /// Looks at the front of `input`: returns how many bytes are used up, and the data among them.
    /// Uses at least one byte, unless `input` is empty or the body is done; call it until then.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadBody`] if the chunked framing is broken, [`ErrorKind::TooLarge`] if a limit is
    /// passed. The decoder is of no use afterwards.
    pub fn decode<'a>(&mut self, input: &'a [u8]) -> Result<(usize, &'a [u8]), ErrorKind> {
        let mut used = 0;
        while used < input.len() && !self.is_done() {
            let ready = self.straight_or_chunk();
            if ready > 0 {
                let n = ready.min((input.len() - used) as u64);
                self.take_data(n)?;
                let data = &input[used..used + n as usize];
                return Ok((used + n as usize, data));
            }
            self.state = self.framing(input[used])?;
            used += 1;
        }
        Ok((used, &[]))
    }

    fn straight_or_chunk(&self) -> u64 {
        match self.state {
            State::Data(left) => left,
            _ => self.straight(),
        }
    }

    fn take_data(&mut self, n: u64) -> Result<(), ErrorKind> {
        match self.state {
            // Its size was checked against the limit when it was announced.
            State::Data(left) => {
                self.got += n;
                self.state = if left == n { State::DataCr } else { State::Data(left - n) };
                Ok(())
            }
            _ => self.took(n),
        }
    }

    /// The state after one byte of chunked framing.
    fn framing(&mut self, byte: u8) -> Result<State, ErrorKind> {
        Ok(match (self.state, byte) {
            (State::Size, _) => State::Digits(hex(byte)?, 1),
            (State::Digits(size, _), b'\r') => State::SizeLf(size),
            (State::Digits(size, _), b';' | b' ' | b'\t') => self.extension(size)?,
            (State::Digits(size, digits), _) => State::Digits(longer(size, digits, byte)?, digits + 1),
            (State::Extension(size), b'\r') => State::SizeLf(size),
            (State::Extension(_), 0..=8 | 10..=31 | 127) => return bad("control byte in a chunk extension"),
            (State::Extension(size), _) => self.extension(size)?,
            (State::SizeLf(0), b'\n') => State::Trailer { empty: true },
            (State::SizeLf(size), b'\n') => {
                self.check_room_for(size)?;
                State::Data(size)
            }
            (State::SizeLf(_), _) => return bad("CR without LF after a chunk size"),
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size,
            (State::DataCr | State::DataLf, _) => return bad("a chunk's data is not followed by CR LF"),
            (State::Trailer { empty }, b'\r') if empty => State::EndLf,
            (State::Trailer { .. } | State::TrailerLf, _) => self.trailer(byte)?,
            (State::EndLf, b'\n') => State::Done,
            (State::EndLf, _) => return bad("CR without LF at the end of the trailers"),
            (State::Length(_) | State::UntilClose | State::Data(_) | State::Done, _) => {
                unreachable!("data and the end are not framing")
            }
        })
    }

    fn extension(&mut self, size: u64) -> Result<State, ErrorKind> {
        self.extensions += 1;
        match self.extensions > self.limits.chunk_extension_bytes {
            true => Err(too_large("chunk extensions", self.limits.chunk_extension_bytes as u64)),
            false => Ok(State::Extension(size)),
        }
    }

    /// Trailers are checked for control bytes, counted and dropped, as RFC 9110, section 6.5.1, allows.
    fn trailer(&mut self, byte: u8) -> Result<State, ErrorKind> {
        self.trailers += 1;
        if self.trailers > self.limits.trailer_bytes {
            return Err(too_large("trailers", self.limits.trailer_bytes as u64));
        }
        match (self.state, byte) {
            (State::TrailerLf, b'\n') => Ok(State::Trailer { empty: true }),
            (State::TrailerLf, _) => bad("CR without LF in the trailers"),
            (_, b'\r') => Ok(State::TrailerLf),
            (_, 0..=8 | 10..=31 | 127) => bad("control byte in the trailers"),
            _ => Ok(State::Trailer { empty: false }),
        }
    }

    fn check_room_for(&self, n: u64) -> Result<(), ErrorKind> {
        match self.got.checked_add(n) {
            Some(total) if total <= self.limits.body_bytes => Ok(()),
            _ => Err(too_large("body", self.limits.body_bytes)),
        }
    }
}

fn longer(size: u64, digits: u8, byte: u8) -> Result<u64, ErrorKind> {
    let digit = hex(byte)?;
    if digits >= MAX_SIZE_DIGITS {
        return bad("a chunk size has more than 16 digits");
    }
    // 16 digits are 64 bits, so nothing is shifted out.
    Ok(size << 4 | digit)
}

/// Hex digits and nothing else: no sign, no `0x`, no `_`, all of which some parser has taken.
fn hex(byte: u8) -> Result<u64, ErrorKind> {
    match char::from(byte).to_digit(16) {
        Some(digit) => Ok(u64::from(digit)),
        None => bad("a chunk size has something else than hex digits"),
    }
}

fn bad<T>(reason: &'static str) -> Result<T, ErrorKind> {
    Err(ErrorKind::BadBody { reason })
}

fn too_large(what: &'static str, limit: u64) -> ErrorKind {
    ErrorKind::TooLarge { what, limit }
}
