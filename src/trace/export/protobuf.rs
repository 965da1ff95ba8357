//! Chapter 35, part 48: protobuf, as much of it as is needed to write.
//!
//! A message is its fields one after the other, each with a key: the field's number and how long what follows is. Numbers
//! are *varints*, seven bits to a byte and the lowest first; a text or a message within is its length and its bytes.
//!
//! ```text
//!   field 8, varint 300      0100 0000   1010 1100 0000 0010      key 8·8+0, then 300 in sevens
//!   field 2, the text "hi"   0001 0010   0000 0010 'h' 'i'        key 2·8+2, 2 bytes
//! ```
//!
//! Before: `trace/export/chrome.rs`. Next: `trace/export/perfetto.rs`.

/// A message being written.
#[derive(Default)]
pub(super) struct Message(Vec<u8>);

/// How long what follows a key is.
const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const LENGTH_FIRST: u64 = 2;

impl Message {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn number(mut self, field: u64, number: u64) -> Message {
        self.varint(field << 3 | VARINT);
        self.varint(number);
        self
    }

    pub(super) fn fixed(mut self, field: u64, number: u64) -> Message {
        self.varint(field << 3 | EIGHT_BYTES);
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    pub(super) fn text(self, field: u64, text: &str) -> Message {
        self.piece(field, text.as_bytes())
    }

    pub(super) fn message(self, field: u64, message: &Message) -> Message {
        self.piece(field, &message.0)
    }

    fn piece(mut self, field: u64, bytes: &[u8]) -> Message {
        self.varint(field << 3 | LENGTH_FIRST);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn varint(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_header_is_right() {
        let message = Message::default().number(8, 300).text(2, "hi");
        assert_eq!(message.bytes(), [0x40, 0xac, 0x02, 0x12, 0x02, b'h', b'i']);
        let inside = Message::default().message(1, &Message::default().fixed(47, 1));
        assert_eq!(inside.bytes(), [0x0a, 10, 0xf9, 0x02, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Message::default().number(1, u64::MAX).bytes().len(), 11);
    }
}
