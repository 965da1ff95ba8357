//! What holds for any bytes, cut anywhere.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use oneloop::http::body::Framing;
use oneloop::http::wire::HeadReader;
use oneloop::http::{ErrorKind, Limits};
use proptest::prelude::*;

use crate::{decode, request, response, write};

fn cuts(input: &[u8], at: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut ends: Vec<usize> = at.iter().map(|index| index.index(input.len() + 1)).collect();
    ends.extend([0, input.len()]);
    ends.sort_unstable();
    ends.windows(2).map(|pair| input[pair[0]..pair[1]].to_vec()).collect()
}

proptest! {
    #[test]
    fn any_body_in_any_chunks_cut_anywhere_comes_out_whole(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..20),
        extension in "(;[a-z]{1,8}(=[a-z\"]{0,8})?){0,2}",
        trailer in "([A-Z][a-z]{0,5}: [ -~]{0,10}\r\n){0,3}",
        surplus in prop::collection::vec(any::<u8>(), 0..9),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let mut input = Vec::new();
        for chunk in &chunks {
            input.extend_from_slice(format!("{:X}{extension}\r\n", chunk.len()).as_bytes());
            input.extend_from_slice(chunk);
            input.extend_from_slice(b"\r\n");
        }
        input.extend_from_slice(format!("0{extension}\r\n{trailer}\r\n").as_bytes());
        input.extend_from_slice(&surplus);
        let pieces = cuts(&input, &at);
        let (data, ended) = decode(Framing::Chunked, &Limits::default(), pieces.iter().map(|p| &p[..]));
        prop_assert_eq!(data, chunks.concat());
        prop_assert_eq!(ended, Ok(surplus.len()));
    }

    #[test]
    fn any_bytes_at_all_give_the_same_answer_in_one_piece_and_in_many(
        input in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200).boxed(),
            "[0-9a-f;\r\n x:\t]{0,60}".prop_map(String::into_bytes).boxed(),
        ],
        length in 0u64..100,
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let pieces = cuts(&input, &at);
        for framing in [Framing::Chunked, Framing::Length(length), Framing::UntilClose] {
            let whole = decode(framing, &Limits::default(), [&input[..]]);
            let bytes = decode(framing, &Limits::default(), input.chunks(1));
            let cut = decode(framing, &Limits::default(), pieces.iter().map(|p| &p[..]));
            prop_assert_eq!(&whole, &bytes);
            prop_assert_eq!(&whole, &cut);
        }
    }

    #[test]
    fn any_head_gives_the_same_answer_in_one_piece_and_byte_by_byte(
        start in prop_oneof![Just("HTTP/1.1 200 OK\r\n"), Just("GET / HTTP/1.1\r\n"), Just("")],
        rest in "([A-Za-z: \t]{0,6}[:\r\n\u{0}é]{0,3}){0,12}(\r\n\r\n)?",
    ) {
        let text = format!("{start}{rest}").into_bytes();
        let answer = |result: Result<Option<usize>, ErrorKind>| result.map_err(|kind| kind.to_string());
        let whole = answer(response(&text).map(|found| found.map(|(_, used)| used)));
        let mut reader = HeadReader::new();
        let step = |end| answer(reader.response(&text[..end], &Limits::default()).map(|f| f.map(|(_, used)| used)));
        let bytes = (0..=text.len()).map(step).find(|answer| *answer != Ok(None)).unwrap_or(Ok(None));
        same(&whole, &bytes)?;
        let whole = answer(request(&text).map(|found| found.map(|(_, used)| used)));
        let mut reader = HeadReader::new();
        let step = |end| answer(reader.request(&text[..end], &Limits::default()).map(|f| f.map(|(_, used)| used)));
        let bytes = (0..=text.len()).map(step).find(|answer| *answer != Ok(None)).unwrap_or(Ok(None));
        same(&whole, &bytes)?;
    }

    #[test]
    fn nothing_a_caller_passes_can_add_a_line(
        path in ".{0,30}",
        query in ".{0,30}",
        method in ".{0,8}",
        name in ".{0,8}",
        value in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let Ok(url) = url::Url::parse(&format!("http://host.example/{path}?{query}")) else { return Ok(()) };
        let Ok(method) = Method::from_bytes(method.as_bytes()) else { return Ok(()) };
        let mut headers = HeaderMap::new();
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(&value))
        {
            headers.insert(name, value);
        }
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        if let Ok(out) = write(&method, target, &headers) {
            let lines = out.iter().filter(|byte| **byte == b'\n').count();
            let own_host = headers.contains_key("host");
            prop_assert_eq!(lines, 4 + headers.len() - usize::from(own_host));
            prop_assert_eq!(out.iter().filter(|byte| **byte == b'\r').count(), lines);
            prop_assert!(!out.contains(&0));
            prop_assert!(out.ends_with(b"\r\n\r\n"));
            let (head, used) = request(&out).expect("the server reads what the client writes").expect("all");
            prop_assert_eq!((head.method, &*head.target, used), (method, target, out.len()));
        }
    }
}

/// A head that goes wrong in two places may be refused for either, depending on how much was seen.
fn same(
    whole: &Result<Option<usize>, String>,
    bytes: &Result<Option<usize>, String>,
) -> Result<(), TestCaseError> {
    match (whole, bytes) {
        (Err(_), Err(_)) => Ok(()),
        // Refused as soon as it is seen in one piece, when the line ends in many.
        (Err(_), Ok(None)) => Ok(()),
        _ => {
            prop_assert_eq!(whole, bytes);
            Ok(())
        }
    }
}
