//! The crawler as a program: run against a scripted site, and judged by what it says, leaves and returns.

mod site;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use image::{ColorType, ImageFormat, Rgb, RgbImage};
use rustix::process::{Pid, Signal, kill_process};
use site::{Answer, Site};
use tempfile::TempDir;

/// The example as a program. `cargo test` builds this one for its unit tests only (it has `test = true`), so the
/// first of these tests has it built; where it is built already that takes no time.
fn crawler() -> Command {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let mut command = Command::new(PROGRAM.get_or_init(build));
    command.env_remove("ONELOOP").env_remove("RUST_LOG");
    command
}

fn build() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // target/PROFILE/deps/this
    let profile = test.ancestors().nth(2).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--example", "crawler", "--target-dir"]).arg(profile.parent().unwrap());
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
    assert!(built.success(), "the crawler does not build");
    profile.join("examples").join("crawler").with_extension(std::env::consts::EXE_EXTENSION)
}

/// How a run of the crawler ended.
struct Run {
    status: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Run {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

fn crawl(url: &str, out: &Path, more: &[&str]) -> Run {
    crawler().arg(url).arg("--out").arg(out).args(more).output().unwrap().into()
}

/// A photograph of sorts; each number gives another one.
fn picture(number: u32) -> RgbImage {
    RgbImage::from_fn(200, 150, |x, y| Rgb([(x + 9 * number) as u8, (y * number) as u8, (x * y / 64) as u8]))
}

fn file(number: u32, format: ImageFormat) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    picture(number).write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn jpeg(number: u32) -> Vec<u8> {
    file(number, ImageFormat::Jpeg)
}

/// A JPEG whose header claims 60,000 × 60,000 pixels.
fn bomb() -> Vec<u8> {
    let mut jpeg = jpeg(1);
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]);
    jpeg
}

/// The files of a folder but for the contact sheet.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let named =
        entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()));
    named.filter(|(name, _)| name != "index.html").collect()
}

fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

/// A site of two pages with five pictures, one of them on both.
fn good_site() -> Site {
    let site = Site::start();
    site.set_page("/page1", &["/a.jpg", "/b.jpg", "/c.jpg"]);
    site.set_page("/page2", &["/c.jpg", "/d.jpg", "/e.png"]);
    for (number, path) in ["/a.jpg", "/b.jpg", "/c.jpg", "/d.jpg"].into_iter().enumerate() {
        site.set(path, Answer::Body(jpeg(number as u32)));
    }
    site.set("/e.png", Answer::Body(file(9, ImageFormat::Png)));
    site
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    (folder, out)
}

const ALL: [&str; 5] = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.png"];

#[test]
fn a_good_site_leaves_grey_thumbnails_and_a_contact_sheet() {
    let (site, (_kept, out)) = (good_site(), folder());
    let run = crawl(&site.url(""), &out, &["--pages", "1..2"]);
    assert_eq!(run.status, Some(0), "{}", run.err);
    assert_eq!(run.err, "");
    assert!(run.out.starts_with("[+] Found 5 images.\n[+] Processed all 5 images.\n"), "{}", run.out);
    assert!(run.out.contains("errors                     none\n"), "{}", run.out);
    let files = files(&out);
    assert_eq!(files.keys().collect::<Vec<_>>(), ALL);
    for (name, file) in files {
        let thumbnail = image::load_from_memory(&file).unwrap();
        assert_eq!(
            (thumbnail.width(), thumbnail.height(), thumbnail.color()),
            (120, 120, ColorType::L8),
            "{name}"
        );
        let kind = if name.ends_with(".png") { ImageFormat::Png } else { ImageFormat::Jpeg };
        assert_eq!(image::guess_format(&file).unwrap(), kind, "{name}");
    }
    let sheet = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(ALL.iter().all(|name| sheet.contains(&format!("<img src=\"{name}\""))), "{sheet}");
    assert_eq!(site.asked(), ["/a.jpg", "/b.jpg", "/c.jpg", "/d.jpg", "/e.png", "/page1", "/page2"]);
}

#[test]
fn all_modes_leave_the_same_files() {
    let site = good_site();
    let left = ["queue", "gather", "sequential"].map(|mode| {
        let (_kept, out) = folder();
        let run = crawl(&site.url("/"), &out, &["--pages", "1..2", "--mode", mode]);
        assert_eq!(run.status, Some(0), "{mode}: {}", run.err);
        assert!(
            run.out.contains("[+] Found 5 images.\n[+] Processed all 5 images.\n"),
            "{mode}: {}",
            run.out
        );
        files(&out)
    });
    assert_eq!(left[0].keys().collect::<Vec<_>>(), ALL);
    assert!(left[0] == left[1] && left[1] == left[2]);
}

#[test]
fn sequential_has_one_request_in_flight() {
    let (site, (_kept, out)) = (good_site(), folder());
    let run = crawl(&site.url(""), &out, &["--pages", "1..2", "--mode", "sequential"]);
    assert!(run.out.contains("most requests in flight    1\n"), "{}", run.out);
}

#[test]
fn every_fault_is_reported_by_url_and_phase_and_stops_nothing_else() {
    for mode in ["queue", "gather", "sequential"] {
        let (site, (_kept, out)) = (Site::start(), folder());
        let faults =
            ["/gone.jpg", "/down.jpg", "/cut.jpg", "/text.jpg", "/bomb.jpg", "/half.jpg", "/huge.jpg"];
        site.set_page("/page1", &["/a.jpg", "/away.jpg"]);
        site.set_page("/page3", &[&faults[..], &["/z.jpg"]].concat());
        site.set("/page2", Answer::Status(503));
        let whole = jpeg(1);
        site.set("/a.jpg", Answer::Body(whole.clone()));
        site.set("/z.jpg", Answer::Body(whole.clone()));
        site.set("/away.jpg", Answer::Redirect("/a.jpg".into()));
        site.set("/down.jpg", Answer::Status(500));
        site.set("/cut.jpg", Answer::Cut(whole.clone()));
        site.set("/text.jpg", Answer::Body(b"<!doctype html>Sorry, no picture today".to_vec()));
        site.set("/bomb.jpg", Answer::Body(bomb()));
        site.set("/half.jpg", Answer::Body(whole[..whole.len() / 2].to_vec()));
        site.set("/huge.jpg", Answer::Promise(2 << 30));

        let run = crawl(&site.url(""), &out, &["--pages", "1..3", "--mode", mode]);
        assert_eq!(run.status, Some(1), "{mode}");
        assert!(
            run.out.contains("[+] Found 10 images.\n[+] Processed 3 of 10 images.\n"),
            "{mode}: {}",
            run.out
        );
        let length = whole.len();
        let expected = [
            ("/page2", "reading the response head: status 503 Service Unavailable".to_owned()),
            ("/gone.jpg", "reading the response head: status 404 Not Found".into()),
            ("/down.jpg", "reading the response head: status 500 Internal Server Error".into()),
            ("/cut.jpg", format!("reading the body: the body ended after {} bytes of {length}", length / 2)),
            ("/text.jpg", "making the thumbnail: not a picture (JPEG, PNG, GIF, WebP or BMP)".into()),
            (
                "/bomb.jpg",
                "making the thumbnail: claims 60000 × 60000 pixels, the limit is 50000000 in all".into(),
            ),
            ("/half.jpg", "making the thumbnail: the file ends before the picture does".into()),
            ("/huge.jpg", "reading the body: the body is larger than the limit of 67108864".into()),
        ];
        for (path, why) in &expected {
            let line = format!("[-] {}: {why}\n", site.url(path));
            assert!(run.err.contains(&line), "{mode}: no line {line}in:\n{}", run.err);
        }
        assert_eq!(run.err.lines().count(), expected.len(), "{mode}: {}", run.err);
        let kinds = "errors                     8 (status 404: 1, status 500: 1, status 503: 1, cut body: 1, \
                     too many bytes: 1, not a picture: 1, too many pixels: 1, cut picture: 1)\n";
        assert!(run.out.contains(kinds), "{mode}: {}", run.out);
        assert_eq!(names(&out), ["a.jpg", "away.jpg", "z.jpg"], "{mode}");
    }
}

#[test]
fn a_server_that_never_answers_is_a_timeout_and_one_that_is_not_there_a_refusal() {
    let (site, (_kept, out)) = (good_site(), folder());
    site.set("/b.jpg", Answer::Silence);
    let run = crawl(&site.url(""), &out, &["--pages", "1..2", "--timeout", "400ms"]);
    assert_eq!(run.status, Some(1));
    assert!(run.out.contains("[+] Processed 4 of 5 images.\n"), "{}", run.out);
    assert!(run.err.contains(&format!("[-] {}: ", site.url("/b.jpg"))), "{}", run.err);
    assert!(run.out.contains("errors                     1 (timeout: 1)\n"), "{}", run.out);

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let run = crawl(&format!("http://{closed}/"), &out, &[]);
    assert_eq!(run.status, Some(1));
    assert!(run.err.starts_with(&format!("[-] http://{closed}/: connecting: ")), "{}", run.err);
    assert!(run.out.starts_with("[+] Found 0 images.\n[+] Processed all 0 images.\n"), "{}", run.out);
}

#[test]
fn a_second_run_fetches_only_what_is_missing_or_not_whole() {
    let (site, (_kept, out)) = (good_site(), folder());
    let arguments = ["--pages", "1..2"];
    crawl(&site.url(""), &out, &arguments);
    let before = files(&out);
    site.asked();

    fs::remove_file(out.join("a.jpg")).unwrap();
    fs::write(out.join("c.jpg"), &before["c.jpg"][..100]).unwrap();
    let run = crawl(&site.url(""), &out, &arguments);
    assert_eq!(run.status, Some(0), "{}", run.err);
    assert!(run.out.contains("[+] Processed all 5 images. 3 of them were there already.\n"), "{}", run.out);
    assert_eq!(site.asked(), ["/a.jpg", "/c.jpg", "/page1", "/page2"]);
    assert!(files(&out) == before);

    let run = crawl(&site.url(""), &out, &arguments);
    assert_eq!(run.status, Some(0), "{}", run.err);
    assert!(run.out.contains("[+] Nothing left to do: all 5 thumbnails are there already.\n"), "{}", run.out);
    assert_eq!(site.asked(), ["/page1", "/page2"]);
    assert!(files(&out) == before);

    let run = crawl(&site.url(""), &out, &["--pages", "1..2", "--size", "60x40"]);
    assert!(run.out.contains("[+] Processed all 5 images.\n"), "another size is made anew: {}", run.out);
}

#[test]
fn ctrl_c_keeps_what_is_done_and_the_next_run_goes_on() {
    let (site, (_kept, out)) = (good_site(), folder());
    site.set("/c.jpg", Answer::Silence);
    let mut command = crawler();
    command.arg(site.url("")).arg("--out").arg(&out).args(["--pages", "1..2", "--mode", "sequential"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One after the other: when the third is asked for, two are done.
    site.wait_for("/c.jpg");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.status, Some(130), "{}", run.err);
    assert!(run.out.contains("[+] Processed 2 of 5 images.\n"), "{}", run.out);
    assert!(run.out.contains("[!] Stopped by Ctrl-C. The same command goes on from here.\n"), "{}", run.out);
    assert!(run.out.contains("errors                     none\n"), "{}", run.out);
    assert_eq!(names(&out), ["a.jpg", "b.jpg"]);

    site.asked();
    site.set("/c.jpg", Answer::Body(jpeg(2)));
    let run = crawl(&site.url(""), &out, &["--pages", "1..2"]);
    assert_eq!(run.status, Some(0), "{}", run.err);
    assert!(run.out.contains("[+] Processed all 5 images. 2 of them were there already.\n"), "{}", run.out);
    assert_eq!(site.asked(), ["/c.jpg", "/d.jpg", "/e.png", "/page1", "/page2"]);
    assert_eq!(names(&out), ALL);
}

#[test]
fn originals_are_kept_as_they_came_and_fetched_again_when_missing() {
    let (site, (kept, out)) = (good_site(), folder());
    let originals = kept.path().join("originals");
    let arguments = ["--pages", "1..2", "--originals", originals.to_str().unwrap()];
    let run = crawl(&site.url(""), &out, &arguments);
    assert_eq!(run.status, Some(0), "{}", run.err);
    assert_eq!(names(&originals), ALL);
    assert!(files(&originals)["d.jpg"] == jpeg(3));

    site.asked();
    fs::remove_file(originals.join("d.jpg")).unwrap();
    crawl(&site.url(""), &out, &arguments);
    assert_eq!(site.asked(), ["/d.jpg", "/page1", "/page2"]);
    assert_eq!(names(&originals), ALL);
}

#[test]
fn a_limit_stops_looking_for_pictures() {
    let (site, (_kept, out)) = (good_site(), folder());
    let run = crawl(&site.url(""), &out, &["--pages", "1..2", "--limit", "2", "--mode", "sequential"]);
    assert!(run.out.contains("[+] Found 2 images.\n[+] Processed all 2 images.\n"), "{}", run.out);
    assert_eq!(site.asked(), ["/a.jpg", "/b.jpg", "/page1"]);
}

#[test]
fn without_pages_the_url_itself_is_the_listing() {
    let (site, (_kept, out)) = (good_site(), folder());
    site.set_page("/album?sort=new", &["/b.jpg", "/deep/down/b.jpg", "/deep/down/b.jpg?again"]);
    site.set("/deep/down/b.jpg", Answer::Body(jpeg(7)));
    let run = crawl(&site.url("/album?sort=new"), &out, &["--size", "32x24"]);
    assert_eq!(run.status, Some(0), "{}", run.err);
    assert!(
        run.out.contains("left out                   1 with the path of another picture\n"),
        "{}",
        run.out
    );
    let files = files(&out);
    assert_eq!(files.len(), 2, "{:?}", files.keys());
    assert!(files.keys().all(|name| name.starts_with('b') && name.ends_with(".jpg")), "{:?}", files.keys());
    let small = image::load_from_memory(&files["b.jpg"]).unwrap();
    assert_eq!((small.width(), small.height()), (32, 24));
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_for_each_picture() {
    let (site, (kept, _)) = (good_site(), folder());
    let not_a_folder = kept.path().join("file");
    fs::write(&not_a_folder, "in the way").unwrap();
    let run = crawl(&site.url(""), &not_a_folder, &["--pages", "1"]);
    assert_eq!(run.status, Some(2));
    let start = format!("[!] The crawler cannot start: {}: ", not_a_folder.display());
    assert!(run.err.starts_with(&start), "{}", run.err);

    let out = kept.path().join("out");
    fs::create_dir_all(out.join("a.jpg")).unwrap();
    let run = crawl(&site.url(""), &out, &["--pages", "1"]);
    assert_eq!(run.status, Some(1));
    assert!(run.err.starts_with(&format!("[-] {}: writing the file: ", site.url("/a.jpg"))), "{}", run.err);
    assert!(run.out.contains("[+] Processed 2 of 3 images.\n"), "{}", run.out);
}

#[test]
fn the_help_tells_every_option_and_a_wrong_command_line_is_refused() {
    let help = Run::from(crawler().arg("--help").output().unwrap());
    assert_eq!(help.status, Some(0));
    let options = [
        "[URL]",
        "--mode",
        "--consumers",
        "--out",
        "--originals",
        "--limit",
        "--pages",
        "--size",
        "--delay",
        "--timeout",
        "--max-pixels",
        "--max-bytes",
        "queue",
        "gather",
        "sequential",
    ];
    assert!(options.iter().all(|option| help.out.contains(option)), "{}", help.out);
    let wrong = [
        &["--pages", "9..1"][..],
        &["--size", "0x0"],
        &["--mode", "fast"],
        &["--consumers", "0"],
        &["ftp://h/"],
        &["http://h/", "--delay", "1s"],
        &["--limit", "0"],
    ];
    for arguments in wrong {
        assert_eq!(Run::from(crawler().args(arguments).output().unwrap()).status, Some(2), "{arguments:?}");
    }
}
