//! Bodies: chunks, ends that come early, and limits.

use oneloop::http::Limits;
use oneloop::http::body::{Decoder, Framing};

use crate::decode;

fn chunked(input: &[u8]) -> (Vec<u8>, Result<usize, String>) {
    decode(Framing::Chunked, &Limits::default(), [input])
}

#[test]
fn chunks_with_extensions_and_trailers_are_taken_apart() {
    let input =
        b"5;name=value\r\nHello\r\n6 ; q=\"x;y\"\r\n World\r\n000\r\nTrailer: t\r\nOther: u\r\n\r\nNEXT";
    assert_eq!(chunked(input), (b"Hello World".to_vec(), Ok(4)));
}

#[test]
fn a_chunk_size_is_hex_digits_and_nothing_else() {
    for bad in [
        "+5\r\nHello\r\n", // Python's int()
        "0x5\r\nHello\r\n",
        "5_\r\nHello\r\n",
        "-5\r\nHello\r\n",
        " 5\r\nHello\r\n",
        "\r\nHello\r\n",
        ";a=b\r\nHello\r\n",
        "g\r\nHello\r\n",
        "\u{0665}\r\nHello\r\n",
        "5\nHello\r\n",                   // bare LF: CVE-2025-22871 in Go
        "5\rHello\r\n",                   //
        "5;a\nb\r\nHello\r\n",            // CVE-2024-52304 in aiohttp
        "5;a\0b\r\nHello\r\n",            //
        "5\r\nHello\n",                   //
        "5\r\nHelloX\r\n",                // more data than said
        "10000000000000005\r\nHello\r\n", // 17 digits: wraps in 64 bits (RUSTSEC-2021-0079)
        "00000000000000005\r\nHello\r\n", //
        "ffffffffffffffff\r\nHello",      // overflows the count of the body's bytes, or the limit
        "5\r\nHello\r\nffffffffffffffff\r\nHello",
        "0\r\nTrailer: t\nOther: u\r\n\r\n",
        "0\r\nTrailer: t\r\r\n\r\n",
        "0\r\nTrailer: \0\r\n\r\n",
        "0\r\n\rX",
    ] {
        let input = format!("{bad}0\r\n\r\n");
        let (_, ended) = chunked(input.as_bytes());
        let error = ended.expect_err(&input);
        assert!(!error.contains("ended after"), "{input:?} is wrong, not only short: {error}");
    }
}

#[test]
fn a_body_that_ends_early_is_short_and_says_by_how_much() {
    let short = |framing, input: &'static [u8]| decode(framing, &Limits::default(), [input]).1.unwrap_err();
    assert_eq!(short(Framing::Length(20), b"0123456789"), "the body ended after 10 bytes of 20");
    for cut in
        [&b""[..], b"5", b"5\r\n", b"5\r\nHel", b"5\r\nHello", b"5\r\nHello\r\n0\r\n", b"0\r\nA: b\r\n"]
    {
        let error = decode(Framing::Chunked, &Limits::default(), [cut]).1.unwrap_err();
        assert!(error.starts_with("the body ended after"), "{cut:?}: {error}");
    }
    let until_close = decode(Framing::UntilClose, &Limits::default(), [&b"all"[..]]);
    assert_eq!(until_close, (b"all".to_vec(), Ok(0)), "its end is the connection's");
}

#[test]
fn every_limit_of_a_body_holds_however_it_comes() {
    let mut limits = Limits::default();
    (limits.body_bytes, limits.chunk_extension_bytes, limits.trailer_bytes) = (10, 8, 12);
    let cases: &[(Framing, &[u8], &str, bool)] = &[
        (Framing::Length(10), b"0123456789", "body", true),
        (Framing::Length(11), b"", "body", false),
        (Framing::Length(2 << 30), b"", "body", false),
        (Framing::UntilClose, b"0123456789", "body", true),
        (Framing::UntilClose, b"0123456789a", "body", false),
        (Framing::Chunked, b"a\r\n0123456789\r\n0\r\n\r\n", "body", true),
        (Framing::Chunked, b"5\r\n01234\r\n6\r\n", "body", false),
        (Framing::Chunked, b"1;123\r\nx\r\n1;456\r\nx\r\n0\r\n\r\n", "chunk extensions", true),
        (Framing::Chunked, b"1;123\r\nx\r\n1;4567\r\n", "chunk extensions", false),
        (Framing::Chunked, b"0\r\nA: b\r\nC: d\r\n\r\n", "trailers", true),
        (Framing::Chunked, b"0\r\nA: b\r\nC: d\r\nE", "trailers", false),
    ];
    for (framing, input, what, fits) in cases {
        for pieces in [vec![*input], input.chunks(1).collect()] {
            let (_, ended) = decode(*framing, &limits, pieces);
            match ended {
                Ok(_) => assert!(fits, "{framing:?} {input:?} passed the limit of the {what}"),
                Err(error) => {
                    assert!(!fits, "{framing:?} {input:?}: {error}");
                    assert!(error.starts_with(&format!("the {what} is larger than")), "{error}");
                }
            }
        }
    }
}

#[test]
fn a_megabyte_in_chunks_of_one_byte_is_one_pass() {
    let input = b"1\r\nx\r\n".repeat(1 << 20);
    let mut decoder = Decoder::new(Framing::Chunked, &Limits::default()).unwrap();
    let mut at = 0;
    let mut calls = 0;
    while at < input.len() {
        at += decoder.decode(&input[at..]).unwrap().0;
        calls += 1;
    }
    assert_eq!((decoder.got(), calls), (1 << 20, (1 << 20) + 1), "one call a chunk, none looks back");
}
