//! Chapter 34, part 4: where bytes wait between the socket and the protocol.
//!
//! ```text
//! bytes:  [ consumed | filled, not yet consumed | zeroed room ]
//!         0          start                      end           bytes.len()
//! ```
//!
//! Safe Rust cannot read into memory that was never written, so room is zeroed once when it is made
//! and never again: a body of 200 KB costs one `memset` of 200 KB, however many reads it takes.
//!
//! Before: `http/error.rs`. Next: `http/body.rs`, where a body ends.

/// A queue of bytes: filled at its end by reads, consumed at its start by the protocol.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// All of it is initialised; its length is the room made so far.
    bytes: Vec<u8>,
    /// Where the bytes not yet consumed begin.
    start: usize,
    /// Where they end, and the zeroed room begins.
    end: usize,
}

impl Buffer {
    /// Bytes filled in and not consumed.
    pub fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Room to read into, at least one byte. Grows by `step` only when there is no room left.
    pub fn room(&mut self, step: usize) -> &mut [u8] {
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        }
        if self.end == self.bytes.len() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.len());
            } else {
                self.grow(step.max(1));
            }
        }
        &mut self.bytes[self.end..]
    }

    /// Makes `more` bytes of zeroed room.
    pub fn grow(&mut self, more: usize) {
        if self.bytes.is_empty() {
            // The allocator often has zeroed pages at hand.
            self.bytes = vec![0; more];
        } else {
            self.bytes.resize(self.end + more, 0);
        }
    }

    /// `n` bytes were read into the room.
    pub fn added(&mut self, n: usize) {
        debug_assert!(self.end + n <= self.bytes.len());
        self.end += n;
    }

    /// The first `n` bytes are done with.
    pub fn consume(&mut self, n: usize) {
        debug_assert!(n <= self.len());
        self.start += n;
    }

    /// Appends a copy of `data`.
    pub fn extend(&mut self, data: &[u8]) {
        if self.bytes.len() - self.end < data.len() {
            self.bytes.truncate(self.end);
            self.bytes.extend_from_slice(data);
        } else {
            self.bytes[self.end..self.end + data.len()].copy_from_slice(data);
        }
        self.end += data.len();
    }

    /// Drops room beyond `keep` bytes, if nothing is waiting in it.
    pub fn shrink(&mut self, keep: usize) {
        if self.is_empty() && self.bytes.len() > keep {
            *self = Buffer::default();
        }
    }

    /// The bytes not consumed, as a `Vec`, without a copy if nothing was consumed.
    pub fn into_vec(mut self) -> Vec<u8> {
        self.bytes.truncate(self.end);
        self.bytes.drain(..self.start);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::Buffer;

    #[test]
    fn what_was_read_comes_out_in_order_and_room_is_used_again() {
        let mut buffer = Buffer::default();
        buffer.room(4)[..3].copy_from_slice(b"abc");
        buffer.added(3);
        buffer.consume(2);
        assert_eq!(buffer.filled(), b"c");
        let room = buffer.room(4);
        assert_eq!(room.len(), 1);
        room[0] = b'd';
        buffer.added(1);
        assert_eq!(buffer.room(4).len(), 2, "the consumed bytes' place is room again, nothing grew");
        buffer.extend(b"efghij");
        assert_eq!(buffer.len(), 8);
        assert_eq!(buffer.into_vec(), b"cdefghij");
    }

    #[test]
    fn an_emptied_buffer_starts_over_and_may_shrink() {
        let mut buffer = Buffer::default();
        buffer.extend(b"hello");
        buffer.shrink(0);
        assert_eq!(buffer.filled(), b"hello", "bytes that wait are never dropped");
        buffer.consume(5);
        assert_eq!(buffer.room(1).len(), 5);
        buffer.shrink(4);
        assert_eq!(buffer.room(9).len(), 9);
    }
}
