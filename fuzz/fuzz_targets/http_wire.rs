//! Heads of requests and responses: the same whether they come in one piece or byte by byte.
#![no_main]

use http::Method;
use libfuzzer_sys::fuzz_target;
use oneloop::http::Limits;
use oneloop::http::wire::{HeadReader, keeps_alive, request_framing, response_framing};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let whole = HeadReader::new().response(bytes, &limits);
    let mut reader = HeadReader::new();
    let piecewise = (0..=bytes.len()).find_map(|end| reader.response(&bytes[..end], &limits).transpose());
    assert_eq!(found(&whole), found(&piecewise.transpose()));
    if let Ok(Some((head, used))) = &whole {
        assert!(*used <= bytes.len());
        let _ = response_framing(&Method::GET, head);
        let _ = keeps_alive(head.version, &head.headers);
    }

    let whole = HeadReader::new().request(bytes, &limits);
    let mut reader = HeadReader::new();
    let piecewise = (0..=bytes.len()).find_map(|end| reader.request(&bytes[..end], &limits).transpose());
    assert_eq!(found(&whole), found(&piecewise.transpose()));
    if let Ok(Some((head, used))) = &whole {
        assert!(*used <= bytes.len());
        let _ = request_framing(head);
    }
});

/// The head that was found. A head that is none may be known as such from its first bytes, or only at its end.
fn found<T: std::fmt::Debug, E>(result: &Result<Option<T>, E>) -> Option<String> {
    result.as_ref().ok()?.as_ref().map(|head| format!("{head:?}"))
}
