//! Answers that are too large, or never end.

use oneloop::http::{Error, ErrorKind, Phase};

use crate::http_support::{Script, always, script};
use crate::{builder, fault, once, with_limits};

/// Answers the first bytes of each connection with `start`, and then with `more` until the client has enough.
fn endless(start: &'static str, more: &'static str) -> Script {
    script(move |_, mut peer| {
        let block = more.repeat(1 + 64 * 1024 / more.len().max(1));
        if peer.answer(start) {
            while peer.write(&block) {}
        }
    })
}

#[test]
fn a_large_promise_is_refused_beyond_the_limit_and_costs_nothing_below_it() {
    let promise = |length: u64| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nlittle");
    let server = always(promise(2 << 30));
    let error = fault(builder().build(), &server);
    assert_eq!(error.phase(), Phase::Body);
    let limit = oneloop::http::BODY_BYTES;
    assert!(matches!(error.kind(), ErrorKind::TooLarge { what: "body", limit: l } if *l == limit), "{error}");

    for length in [1 << 40, u64::MAX] {
        let server = once(promise(length));
        let error = fault(with_limits(|limits| limits.body_bytes = u64::MAX), &server);
        let right =
            matches!(error.kind(), ErrorKind::ShortBody { expected: Some(e), got: 6 } if *e == length);
        assert!(right, "{error}");
    }
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmPeak:")?.trim().split(' ').next());
        let peak: u64 = peak.unwrap().parse().unwrap();
        assert!(peak < 100 << 20, "{peak} kB of address space: the terabyte was not asked for");
    }
}

#[test]
fn endless_things_of_every_kind_end_at_their_limits() {
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (start, more, phase, what) in [
        ("HTTP/1.1 200 OK", "k", Phase::Head, "head"),
        ("HTTP/1.1 200 OK\r\nX: ", "yyyyyyyy", Phase::Head, "head"),
        (
            "HTTP/1.1 200 OK\r\n",
            "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n",
            Phase::Head,
            "number of headers",
        ),
        (
            "HTTP/1.1 103 Hints\r\n\r\n",
            "HTTP/1.1 103 Hints\r\n\r\n",
            Phase::Head,
            "number of interim responses",
        ),
        ("HTTP/1.1 200 OK\r\n\r\n", "yyyyyyyy", Phase::Body, "body"),
        (CHUNKED, "5\r\nHello\r\n", Phase::Body, "body"),
        (CHUNKED, "1\r\nx\r\n", Phase::Body, "body"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;",
            "xxxxxxx",
            Phase::Body,
            "chunk extensions",
        ),
        (CHUNKED, "1;xxxxxxxxxxxxxxxxxxxxxxx\r\nx\r\n", Phase::Body, "chunk extensions"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            "T: yyyyyyyy\r\n",
            Phase::Body,
            "trailers",
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "yyyyyyyy", Phase::Body, "trailers"),
    ] {
        let server = endless(start, more);
        let error = fault(with_limits(|limits| limits.body_bytes = 1 << 20), &server);
        assert_eq!(error.phase(), phase, "{start:?}: {error}");
        // Lines that come one by one are counted only when the head is whole, or too long before that.
        let right = |w: &str| w == what || (w == "head" && what == "number of headers");
        assert!(
            matches!(error.kind(), ErrorKind::TooLarge { what, .. } if right(what)),
            "{start:?}: {error}"
        );
    }
}

#[test]
fn a_body_of_exactly_the_limit_is_taken_in_every_framing() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
        "HTTP/1.1 200 OK\r\n\r\n0123456789",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n",
    ] {
        for (limit, fits) in [(10, true), (9, false)] {
            let server = once(answer);
            oneloop::run(async {
                let client = with_limits(|limits| limits.body_bytes = limit);
                let body = async { client.get(server.url("/")).send().await?.bytes().await };
                let result: Result<_, Error> = body.await;
                assert_eq!(result.is_ok(), fits, "{limit}: {answer}");
            });
        }
    }
}
