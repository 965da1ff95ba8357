//! Chunked bodies: the same data and the same verdict wherever the bytes are cut. The first byte says how.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oneloop::http::Limits;
use oneloop::http::body::{Decoder, Framing};

fuzz_target!(|bytes: &[u8]| {
    let Some((size, bytes)) = bytes.split_first() else { return };
    assert_eq!(decode(bytes, bytes.len().max(1)), decode(bytes, usize::from(*size).max(1)));
});

/// The data of a body that comes in pieces of this size; how many bytes were its own; and whether it ended.
fn decode(bytes: &[u8], size: usize) -> Option<(Vec<u8>, usize, bool)> {
    let mut decoder = Decoder::new(Framing::Chunked, &Limits::default()).ok()?;
    let (mut data, mut own) = (Vec::new(), 0);
    for piece in bytes.chunks(size) {
        let mut rest = piece;
        while !rest.is_empty() && !decoder.is_done() {
            let (used, found) = decoder.decode(rest).ok()?;
            assert!(used > 0, "a decoder that uses nothing would be asked for ever");
            data.extend_from_slice(found);
            (rest, own) = (&rest[used..], own + used);
        }
    }
    let ended = decoder.end_of_input().is_ok();
    Some((data, own, ended))
}
