use oneloop::http::Limits;
use oneloop::http::body::Framing;
use oneloop::http::wire::{HeadReader, request_framing};

/// How the body of this request is framed; `None`: nobody may guess.
fn framing(lines: &str) -> Option<Framing> {
    let bytes = format!("POST / HTTP/1.1\r\nhost: a\r\n{lines}\r\n");
    let read = HeadReader::new().request(bytes.as_bytes(), &Limits::default());
    let (head, length) = read.ok()?.expect("the head is whole");
    assert_eq!(length, bytes.len());
    request_framing(&head).ok()
}

pub fn main() {
    assert_eq!(framing(""), Some(Framing::Length(0)));
    assert_eq!(framing("content-length: 5\r\n"), Some(Framing::Length(5)));
    assert_eq!(framing("transfer-encoding: chunked\r\n"), Some(Framing::Chunked));
    assert_eq!(framing("content-length: 5\r\ncontent-length: 5\r\n"), Some(Framing::Length(5)));

    assert_eq!(framing("content-length: +5\r\n"), None);
    assert_eq!(framing("content-length: 5\r\ncontent-length: 6\r\n"), None);
    assert_eq!(framing("content-length: 5\r\ntransfer-encoding: chunked\r\n"), None);
    assert_eq!(framing("transfer-encoding: gzip, chunked\r\n"), None);
}
