//! Chapter 35, part 37: a recording as lines, packed or plain, cut or whole.
//!
//! Never more of it is in memory than one line.
//!
//! Before: `trace/read.rs`. Next: `trace/read/names.rs`.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use super::{MAX_BYTES, MAX_LINE};

/// What a gzip member begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The beginning that was looked at, and the rest.
type Whole<R> = BufReader<Chain<Cursor<Vec<u8>>, R>>;

/// The lines of a recording.
pub(super) struct Lines<R: Read> {
    input: Input<R>,
    /// Without its end.
    line: Vec<u8>,
    number: u64,
    /// Bytes unpacked.
    bytes: u64,
}

enum Input<R: Read> {
    Plain(Whole<R>),
    /// Several members, one after the other.
    Packed(Box<BufReader<MultiGzDecoder<Whole<R>>>>),
}

/// How an attempt to read a line ended.
pub(super) enum Ending {
    /// There is a line.
    Line,
    /// There is one, but the file ends without ending it.
    Unfinished,
    /// It was passed over.
    TooLong,
    End,
    /// The rest cannot be read.
    Cut(String),
    /// The rest is too much.
    Enough(String),
}

impl<R: Read> Lines<R> {
    pub(super) fn new(mut input: R) -> io::Result<Lines<R>> {
        let mut start = Vec::new();
        input.by_ref().take(GZIP.len() as u64).read_to_end(&mut start)?;
        let packed = start == GZIP;
        let whole = BufReader::new(Cursor::new(start).chain(input));
        let input = match packed {
            true => Input::Packed(Box::new(BufReader::new(MultiGzDecoder::new(whole)))),
            false => Input::Plain(whole),
        };
        Ok(Lines { input, line: Vec::new(), number: 0, bytes: 0 })
    }

    /// The line that was read.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// Its number, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Reads the next line.
    pub(super) fn next(&mut self) -> Ending {
        self.line.clear();
        self.number += 1;
        let mut too_long = false;
        loop {
            let buffer = match self.input.fill() {
                Ok([]) if self.line.is_empty() && !too_long => return Ending::End,
                Ok([]) if too_long => return Ending::TooLong,
                Ok([]) => return Ending::Unfinished,
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ending::Cut(what(&error)),
            };
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let piece = &buffer[..end.unwrap_or(buffer.len())];
            let taken = piece.len() + usize::from(end.is_some());
            too_long |= self.line.len() + piece.len() > MAX_LINE;
            if !too_long {
                self.line.extend_from_slice(piece);
            }
            self.input.consume(taken);
            self.bytes += taken as u64;
            if self.bytes > MAX_BYTES {
                return Ending::Enough(format!("more than {MAX_BYTES} bytes are not read"));
            }
            match end {
                Some(_) if too_long => return Ending::TooLong,
                Some(_) => return Ending::Line,
                None => {}
            }
        }
    }
}

impl<R: Read> Input<R> {
    fn fill(&mut self) -> io::Result<&[u8]> {
        match self {
            Input::Plain(input) => input.fill_buf(),
            Input::Packed(input) => input.fill_buf(),
        }
    }

    fn consume(&mut self, bytes: usize) {
        match self {
            Input::Plain(input) => input.consume(bytes),
            Input::Packed(input) => input.consume(bytes),
        }
    }
}

/// What is the matter with a packed file.
fn what(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => String::from("the packed data stop in the middle"),
        _ => format!("the packed data are damaged ({error})"),
    }
}
