//! Chapter 33, part 2: what goes over the socket pair.
//!
//! A stream of bytes has no ends of messages in it, so each message says beforehand how long it is:
//!
//! ```text
//!   ┌──────┬───────────────────────────┬───────────────┐
//!   │ kind │ length, 8 bytes, big end  │ so many bytes │
//!   └──────┴───────────────────────────┴───────────────┘
//! ```
//!
//! Kinds are numbers that no text begins with: a program that writes to its standard input by mistake is found out.
//!
//! Before: `process_pool/mod.rs`. Next: `process_pool/error.rs`.

use std::io::{self, Read, Write};

/// Memory taken for a message before its bytes are there; a length that lies costs no more.
const FIRST_BYTES: u64 = 64 * 1024;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Worker: `serve` was reached. Empty.
    Ready = 0xF0,
    /// Program: the name of a job; its input follows.
    Name = 0xF1,
    /// Program: the input of the job named before.
    Input = 0xF2,
    /// Worker: the job returned this.
    Done = 0xF3,
    /// Worker: the job panicked with this text. The worker ends.
    Panicked = 0xF4,
    /// Worker: it serves no job of this name.
    Unknown = 0xF5,
}

const KINDS: [Kind; 6] = [Kind::Ready, Kind::Name, Kind::Input, Kind::Done, Kind::Panicked, Kind::Unknown];

/// A message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

/// Why there is no message.
#[derive(Debug)]
pub(super) enum Unread {
    /// Reading failed, or the stream ended.
    Io(io::Error),
    /// The first byte is no kind.
    Garbled,
    /// The message has so many bytes, which is beyond the limit.
    TooLong(u64),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Unread {
        Unread::Io(error)
    }
}

/// Writes a message.
pub(super) fn write(out: &mut impl Write, kind: Kind, bytes: &[u8]) -> io::Result<()> {
    let mut head = [kind as u8; 9];
    head[1..].copy_from_slice(&(bytes.len() as u64).to_be_bytes());
    out.write_all(&head)?;
    out.write_all(bytes)
}

/// Reads a message of at most `limit` bytes.
pub(super) fn read(input: &mut impl Read, limit: usize) -> Result<Frame, Unread> {
    let mut head = [0; 9];
    input.read_exact(&mut head[..1])?;
    let kind = KINDS.into_iter().find(|kind| *kind as u8 == head[0]).ok_or(Unread::Garbled)?;
    input.read_exact(&mut head[1..])?;
    let mut length = [0; 8];
    length.copy_from_slice(&head[1..]);
    let length = u64::from_be_bytes(length);
    if length > limit as u64 {
        return Err(Unread::TooLong(length));
    }
    let mut bytes = Vec::with_capacity(length.min(FIRST_BYTES) as usize);
    if input.take(length).read_to_end(&mut bytes)? as u64 != length {
        return Err(Unread::Io(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(Frame { kind, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(kind: Kind, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, kind, bytes).unwrap();
        out
    }

    #[test]
    fn what_is_written_is_read() {
        for kind in KINDS {
            for bytes in [&b""[..], b"x", &[7; 100_000]] {
                let frame = read(&mut &written(kind, bytes)[..], 100_000).unwrap();
                assert_eq!(frame, Frame { kind, bytes: bytes.to_vec() });
            }
        }
    }

    #[test]
    fn a_message_cut_anywhere_is_an_end_of_the_stream() {
        let whole = written(Kind::Done, b"result");
        for end in 0..whole.len() {
            let error = read(&mut &whole[..end], 100).unwrap_err();
            let Unread::Io(error) = error else { panic!("{error:?}") };
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn text_is_no_message_and_a_length_beyond_the_limit_is_not_believed() {
        assert!(matches!(read(&mut &b"Hello, World!"[..], 100), Err(Unread::Garbled)));
        assert!(matches!(read(&mut &written(Kind::Done, &[0; 11])[..], 10), Err(Unread::TooLong(11))));
        let mut liar = written(Kind::Done, b"");
        liar[1..].copy_from_slice(&u64::MAX.to_be_bytes());
        assert!(matches!(read(&mut &liar[..], usize::MAX - 1), Err(Unread::TooLong(u64::MAX))));
    }
}
