//! Where a picture's thumbnail goes, and how it gets there whole.
//!
//! The name comes from the path of the picture's URL and from nothing else, so it is the same in every
//! run, whatever was crawled before and in whatever order. A plain path such as `/lake-07.jpg` gives the
//! name as it stands. Every other one is cleaned, and what cleaning lost is made up for by a hash of the
//! whole path:
//!
//! ```text
//!   /lake-07.jpg                   lake-07.jpg
//!   /65535/5210_a_b.jpg            5210_a_b-c8db27e8.jpg       two folders may hold the same name
//!   /IMG_1.JPG                     IMG_1-a2bde634.jpg          some disks take it for img_1.jpg
//!   /..%2F..%2Fetc%2Fpasswd        etc_passwd-3241c330.jpg     never a way out of the folder
//!   /con.png                       con-557c626c.png            a device on Windows
//! ```
//!
//! A file is written under its name plus `.part` and then renamed, so a file with its final name is
//! whole, whenever the crawl was stopped.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Cursor};
use std::path::Path;

use image::{ColorType, ImageDecoder, ImageReader};
use url::Url;

/// Characters a name keeps of the URL's; with hash and ending it stays under every disk's limit.
const MAX_STEM: usize = 100;
/// Digits of the hash.
const HASH: usize = 8;
/// Bytes a thumbnail found in the folder may have; a larger file is not one of ours.
const MAX_THUMBNAIL: u64 = 64 << 20;
/// Endings of the kinds that thumbnails are written as.
const WRITTEN: [&str; 3] = ["jpg", "jpeg", "png"];
/// Names that stand for devices on Windows, with any ending; `com1` to `lpt9` come besides.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// A name for a picture's files, safe on any disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    stem: String,
    /// The URL's own ending in lower case; empty when it has none.
    ending: String,
}

impl Name {
    pub fn of(url: &Url) -> Name {
        let path = url.path();
        let last = unescaped(path.rsplit('/').next().unwrap_or_default());
        let (stem, ending) = match last.rsplit_once('.') {
            Some((stem, ending)) if is_ending(ending) => (stem, ending.to_ascii_lowercase()),
            _ => (&last[..], String::new()),
        };
        if path == format!("/{stem}.{ending}") && is_plain(stem) && WRITTEN.contains(&&ending[..]) {
            return Name { stem: stem.to_owned(), ending };
        }
        let clean = cleaned(stem);
        let joint = if clean.is_empty() { "" } else { "-" };
        Name { stem: format!("{clean}{joint}{:08x}", hash(path)), ending }
    }

    /// The thumbnail's file name. It ends as the URL does if that is a kind the crawler writes.
    pub fn thumbnail(&self) -> String {
        let ending = if WRITTEN.contains(&&self.ending[..]) { &self.ending } else { "jpg" };
        format!("{}.{ending}", self.stem)
    }

    /// The file name of the picture as it came.
    pub fn original(&self) -> String {
        let dot = if self.ending.is_empty() { "" } else { "." };
        format!("{}{dot}{}", self.stem, self.ending)
    }
}

/// May a stem stand as it is, with nothing to be cleaned or told apart?
fn is_plain(stem: &str) -> bool {
    let safe = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    let hashed = stem
        .rsplit_once('-')
        .is_some_and(|(_, end)| end.len() == HASH && end.bytes().all(|byte| byte.is_ascii_hexdigit()));
    !stem.is_empty()
        && !stem.starts_with('-')
        && stem.len() <= MAX_STEM
        && stem.bytes().all(safe)
        && !hashed
        && !is_device(stem)
}

fn is_device(stem: &str) -> bool {
    let numbered = |kind| stem.strip_prefix(kind).is_some_and(|rest| rest.len() == 1);
    DEVICES.contains(&stem) || numbered("com") || numbered("lpt")
}

fn is_ending(ending: &str) -> bool {
    (1..=4).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What is left of a name with only letters, digits, `-`, `_` and single dots in it.
fn cleaned(stem: &str) -> String {
    let mut clean = String::new();
    for character in stem.chars() {
        let kept =
            if character.is_ascii_alphanumeric() || "-_.".contains(character) { character } else { '_' };
        let repeated = clean.ends_with(kept) && "_.".contains(kept);
        if !repeated && clean.len() < MAX_STEM {
            clean.push(kept);
        }
    }
    clean.trim_matches(['.', '_', '-']).to_owned()
}

/// Undoes the URL's percent-encoding; what is not text then is replaced.
fn unescaped(segment: &str) -> String {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = segment.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// FNV-1a (Fowler, Noll and Vo) of 64 bits, folded to 32: the same on every machine and for ever.
fn hash(path: &str) -> u32 {
    let sum = path
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
    (sum >> 32) as u32 ^ sum as u32
}

/// Writes a file under a temporary name and renames it: it is there whole or not at all.
///
/// # Errors
/// What the disk says. The temporary file is removed then, as far as the disk lets us.
pub fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = folder.join(format!("{name}.part"));
    let written = fs::write(&part, bytes).and_then(|()| fs::rename(&part, folder.join(name)));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&part);
    }
    written
}

/// The names of the whole thumbnails of `size` in a folder; none if there is no such folder.
///
/// # Errors
/// A folder that is there and cannot be read.
pub fn thumbnails(folder: &Path, size: (u32, u32)) -> io::Result<HashSet<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashSet::new()),
        entries => entries?,
    };
    let mut found = HashSet::new();
    for entry in entries {
        let entry = entry?;
        let small = entry.metadata().is_ok_and(|data| data.is_file() && data.len() <= MAX_THUMBNAIL);
        if small
            && let Ok(name) = entry.file_name().into_string()
            && name.rsplit_once('.').is_some_and(|(_, ending)| WRITTEN.contains(&ending))
            && fs::read(entry.path()).is_ok_and(|file| is_whole(&file, size))
        {
            found.insert(name);
        }
    }
    Ok(found)
}

/// Is this a whole thumbnail? Renaming makes sure of it while the machine runs; a machine that loses
/// power may keep the name and lose the bytes, which is why the end is looked at too.
fn is_whole(file: &[u8], size: (u32, u32)) -> bool {
    const END_OF_JPEG: &[u8] = &[0xFF, 0xD9];
    const END_OF_PNG: &[u8] = b"IEND\xAE\x42\x60\x82";
    let reader = ImageReader::new(Cursor::new(file)).with_guessed_format().ok();
    let decoder = reader.and_then(|reader| reader.into_decoder().ok());
    decoder.is_some_and(|decoder| decoder.dimensions() == size && decoder.color_type() == ColorType::L8)
        && (file.ends_with(END_OF_JPEG) || file.ends_with(END_OF_PNG))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thumbnail;

    fn name(url: &str) -> String {
        Name::of(&Url::parse(url).unwrap()).thumbnail()
    }

    #[test]
    fn a_plain_path_gives_its_own_name() {
        assert_eq!(name("http://h/lake-07.jpg"), "lake-07.jpg");
        assert_eq!(name("http://h/lake_7.png?v=2#top"), "lake_7.png");
    }

    #[test]
    fn the_names_in_the_first_lines_are_true() {
        assert_eq!(name("http://h/65535/5210_a_b.jpg"), "5210_a_b-c8db27e8.jpg");
        assert_eq!(name("http://h/IMG_1.JPG"), "IMG_1-a2bde634.jpg");
        assert_eq!(name("http://h/..%2F..%2Fetc%2Fpasswd"), "etc_passwd-3241c330.jpg");
        assert_eq!(name("http://h/con.png"), "con-557c626c.png");
    }

    #[test]
    fn host_and_query_do_not_change_a_name() {
        assert_eq!(name("http://a/x/1.jpg?token=1"), name("https://b:81/x/1.jpg?token=2"));
    }

    #[test]
    fn different_paths_have_different_names_even_where_case_is_ignored() {
        let paths = [
            "a.jpg",
            "A.jpg",
            "a.JPG",
            "x/a.jpg",
            "y/a.jpg",
            "X/a.jpg",
            "a.jpeg",
            "a.png",
            "a.gif",
            "a.webp",
            "a",
            "a%20b.jpg",
            "a_b.jpg",
            "a%2Fb.jpg",
            "a/b.jpg",
            "a..jpg",
            "a.jpg.jpg",
            "%C3%A9.jpg",
            "%C3%A8.jpg",
            "",
            "x/",
            "a-c8db27e8.jpg",
            ".a.jpg",
            "-a.jpg",
            "_a.jpg",
        ];
        let names: HashSet<String> =
            paths.iter().map(|path| name(&format!("http://h/{path}")).to_ascii_lowercase()).collect();
        assert_eq!(names.len(), paths.len(), "{names:?}");
    }

    #[test]
    fn no_path_leads_out_of_the_folder_or_makes_a_bad_name() {
        let long = "x".repeat(5000);
        let paths = [
            "..%2F..%2Fa.jpg",
            "%2E%2E",
            "..",
            "%2e%2e%5Cb.png",
            "C:%5Cb.jpg",
            "a%00b.jpg",
            "a%0Ab.jpg",
            "%FF%FE.jpg",
            "con",
            "NUL.jpg",
            "lpt9.png",
            "index.html",
            "x.part",
            ".hidden.jpg",
            "a.jpg.",
            "a.jpg%20",
            "%",
            "%2",
            "%zz.jpg",
            "~",
            "-rf.jpg",
            "a:b.jpg",
            "a|b*?.jpg",
            &long,
        ];
        for path in paths {
            let url = Url::parse(&format!("http://h/{path}")).unwrap();
            let files = Name::of(&url);
            for file in [files.thumbnail(), files.original()] {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
                assert!(file.bytes().all(plain) && file.len() < 130, "{path} gives {file}");
                assert!(
                    !file.starts_with(['.', '-']) && !file.ends_with('.') && !file.contains(".."),
                    "{path} gives {file}"
                );
                assert!(!is_device(file.split('.').next().unwrap()), "{path} gives {file}");
            }
            assert!(WRITTEN.iter().any(|ending| files.thumbnail().ends_with(ending)), "{path}");
        }
    }

    #[test]
    fn an_original_keeps_its_ending() {
        let url = Url::parse("http://h/anim.GIF").unwrap();
        let name = Name::of(&url);
        assert!(name.original().starts_with("anim-") && name.original().ends_with(".gif"));
        assert!(name.thumbnail().ends_with(".jpg"));
    }

    #[test]
    fn a_written_file_is_there_whole_and_its_temporary_one_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a.jpg", b"abc").unwrap();
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["a.jpg"]);
        assert_eq!(fs::read(folder.path().join("a.jpg")).unwrap(), b"abc");
    }

    #[test]
    fn only_whole_thumbnails_of_the_size_count_as_done() {
        let folder = tempfile::tempdir().unwrap();
        let save = |name: &str, bytes: &[u8]| write(folder.path(), name, bytes).unwrap();
        let grey = vec![7; 120 * 120];
        let whole = thumbnail::pack(&grey, (120, 120), "a.jpg").unwrap();
        save("whole.jpg", &whole);
        save("whole.png", &thumbnail::pack(&grey, (120, 120), "a.png").unwrap());
        save("cut.jpg", &whole[..whole.len() - 9]);
        save("empty.jpg", b"");
        save("other-size.jpg", &thumbnail::pack(&grey[..3600], (60, 60), "a.jpg").unwrap());
        save("whole.jpg.part", &whole);
        save("index.html", b"<html>");
        let expected = HashSet::from(["whole.jpg".to_owned(), "whole.png".to_owned()]);
        assert_eq!(thumbnails(folder.path(), (120, 120)).unwrap(), expected);
        assert!(thumbnails(&folder.path().join("none"), (120, 120)).unwrap().is_empty());
    }
}
