//! What the client does not send.

use oneloop::http::{Client, ErrorKind, Method, Phase};

use crate::http_support::{always, ok};
use crate::{run, text};

#[test]
fn what_cannot_be_sent_is_refused_before_a_connection_is_made() {
    run(async {
        let client = Client::new();
        let bad_urls = [
            "",
            "/path",
            "host/path",
            "ftp://h/",
            "file:///etc/passwd",
            "data:,x",
            "http://",
            "http://h:99999/",
            "http://user@h/",
            "http://user:secret@h/",
            "http://:secret@h/",
            "http://[::1/",
            "http://a b/",
            "http://%00/",
        ];
        for url in bad_urls {
            let error = client.get(url).send().await.unwrap_err();
            assert_eq!(error.phase(), Phase::Request, "{url:?}: {error}");
            assert!(matches!(error.kind(), ErrorKind::BadUrl { .. }), "{url:?}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        // Were one of these sent, the address would refuse the connection, in another phase.
        let get = || client.get("http://127.0.0.1:1/");
        let requests = [
            get().header("x", "a\r\nEvil: yes"),
            get().header("x", "a\nb"),
            get().header("x", "a\0b"),
            get().header("x\r\nEvil", "yes"),
            get().header("x y", "z"),
            get().header("", "z"),
            get().header("content-length", "5").body("12345"),
            get().header("transfer-encoding", "chunked"),
            client.request(Method::CONNECT, "http://127.0.0.1:1/"),
        ];
        for request in requests {
            let shown = format!("{request:?}");
            let error = request.send().await.unwrap_err();
            assert_eq!(error.phase(), Phase::Request, "{shown}: {error}");
            assert!(matches!(error.kind(), ErrorKind::BadRequest { .. }), "{shown}: {error}");
        }
        Ok(())
    });
}

#[test]
fn no_url_puts_a_line_break_on_the_wire() {
    let server = always(ok(""));
    run(async {
        let client = Client::new();
        for path in
            ["/a\r\nEvil: yes", "/?q=\r\n\r\nGET /two HTTP/1.1", "/\0", "/\u{2028}", "/a b", "/#\r\nx"]
        {
            let _ = text(&client, server.url(path)).await?;
            let seen = server.request();
            assert_eq!(seen.lines().count(), 5, "{seen:?}");
            assert!(seen.starts_with("GET /") && seen.lines().next().unwrap().ends_with(" HTTP/1.1"));
            assert!(!seen.contains('\0') && !seen.to_ascii_lowercase().contains("\r\nevil"));
        }
        Ok(())
    });
}
