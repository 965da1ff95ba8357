//! The examples that use the network: all against servers on this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Output, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use super::{keeps_its_promise, program, promised, text};

/// The pictures of the example `flags`.
#[path = "../../examples/flags/gif.rs"]
mod gif;

/// Runs an example in real time.
fn run_with(name: &str, arguments: &[&str]) -> Output {
    program(name).args(arguments).output().expect("the example starts")
}

/// The example prints its promise in real time, but for what it has measured: numbers with a point in them.
fn keeps_its_promise_but_for_times(name: &str, arguments: &[&str]) {
    let output = run_with(name, arguments);
    assert_eq!(text(&output.stderr), "", "nobody asked for more");
    assert_eq!(untimed(text(&output.stdout)), untimed(&promised(name)));
    assert!(output.status.success(), "{}", output.status);
}

/// The text with ` #` for each number that has a point in it, and for the spaces before it.
fn untimed(text: &str) -> String {
    let mut untimed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|character: char| character.is_ascii_digit()) {
        let number = rest[at..].find(|character: char| !character.is_ascii_digit() && character != '.');
        let (before, number) = (&rest[..at], &rest[at..number.map_or(rest.len(), |length| at + length)]);
        match number.trim_end_matches('.').contains('.') {
            true => untimed.extend([before.trim_end_matches(' '), " #"]),
            false => untimed.extend([before, number]),
        }
        rest = &rest[at + number.len()..];
    }
    untimed + rest
}

#[test]
fn only_numbers_with_a_point_are_left_out() {
    assert_eq!(untimed("20 tiles in   3.45 s, 19.2 times. 100."), "20 tiles in # s, # times. 100.");
}

#[test]
fn http_get_prints_what_it_says() {
    keeps_its_promise("http_get");
}

#[test]
fn http_get_says_what_was_wrong_with_a_url() {
    let output = run_with("http_get", &["ftp://localhost/"]);
    assert!(!output.status.success(), "it fetched something");
    assert!(text(&output.stderr).starts_with("error: ftp://localhost/: "), "{}", text(&output.stderr));
}

#[test]
fn http_server_prints_what_it_says() {
    keeps_its_promise("http_server");
}

#[test]
fn http_server_greets_a_client_and_stops_gracefully_at_ctrl_c() {
    let mut server = program("http_server").arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let address = first.strip_prefix("serving http://").and_then(|rest| rest.strip_suffix("/ until Ctrl-C"));
    let mut client = TcpStream::connect(address.expect("it says where it serves")).unwrap();
    client.write_all(b"GET /Ada HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut greeting = vec![0; 1024];
    let length = client.read(&mut greeting).unwrap();
    assert!(text(&greeting[..length]).ends_with("\r\n\r\nHello, Ada\n"), "{}", text(&greeting[..length]));
    kill_process(Pid::from_child(&server), Signal::INT).unwrap();
    assert_eq!(client.read(&mut greeting).unwrap(), 0, "an idle connection is closed");
    assert_eq!(lines.next().unwrap().unwrap(), "stopped");
    assert!(server.wait().unwrap().success());
}

#[test]
fn http_server_says_why_it_cannot_serve() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run_with("http_server", &[&address]);
    assert!(!output.status.success(), "it served at a taken address");
    assert!(text(&output.stderr).starts_with(&format!("error: cannot listen on {address}: ")));
}

#[test]
fn tiles_prints_what_it_says() {
    keeps_its_promise_but_for_times("tiles", &["--delay", "2"]);
}

#[test]
fn limited_download_prints_what_it_says() {
    keeps_its_promise_but_for_times("limited_download", &[]);
}

#[test]
fn flags_prints_what_it_says() {
    keeps_its_promise_but_for_times("flags", &["--delay", "2"]);
}

#[test]
fn flags_looks_everywhere_in_every_form_if_asked_to() {
    let output = run_with("flags", &["--delay", "0", "--all"]);
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    for (line, name) in lines.iter().zip(["sequential", "threaded  ", "async     "]) {
        let counts = "  676 URLs  194 flags  482 not found    0 errors ";
        assert!(line.starts_with(&format!("{name}{counts}")), "{line}");
    }
    assert_eq!(lines.len(), 4);
}

#[test]
fn flags_counts_errors_and_reports_other_statuses() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/flags/", listener.local_addr().unwrap());
    // One request for a connection: every third is refused, the rest is closed with no answer.
    thread::spawn(move || {
        for (number, client) in listener.incoming().enumerate() {
            let mut client = client.unwrap();
            let _ = client.read(&mut [0; 1024]);
            if number % 3 == 0 {
                let _ =
                    client.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            }
            let _ = client.shutdown(Shutdown::Both);
        }
    });
    let output = run_with("flags", &["--base-url", &url, "--threads", "3"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.starts_with("sequential   20 URLs    0 flags    0 not found   13 errors    7 others"),
        "{told}"
    );
    assert!(told.contains(" × 503 Service Unavailable\n"), "{told}");
    assert!(
        told.contains(&format!(" errors, the first: {url}aa/aa.gif: ").replace("aa/aa", "ab/ab")),
        "{told}"
    );
}

#[test]
fn a_flag_is_a_picture_of_three_pixels() {
    let picture = image::load_from_memory(&gif::tricolour('d', 'e')).expect("it is a GIF").to_rgb8();
    assert_eq!(picture.dimensions(), (3, 1));
    assert_eq!(picture.get_pixel(1, 0).0, [255; 3], "the middle is white");
    assert_ne!(picture.get_pixel(0, 0), picture.get_pixel(2, 0));
    assert!(promised("flags").contains(" 194 flags "), "one for each country");
}
