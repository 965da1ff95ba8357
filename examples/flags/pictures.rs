//! What the server inside this program has to offer: a small picture for each country.

use oneloop::http::{Reply, Request};

/// The countries' codes, by their first letter: the members of the United Nations, and the Vatican.
const COUNTRIES: [(char, &str); 25] = [
    ('a', "defglmortuz"),
    ('b', "abdefghijnorstwyz"),
    ('c', "adfghilmnoruvyz"),
    ('d', "ejkmoz"),
    ('e', "cegrst"),
    ('f', "ijmr"),
    ('g', "abdehmnqrtwy"),
    ('h', "nrtu"),
    ('i', "delnqrst"),
    ('j', "mop"),
    ('k', "eghimnprwz"),
    ('l', "abcikrstuvy"),
    ('m', "acdeghklmnrtuvwxyz"),
    ('n', "aegiloprz"),
    ('o', "m"),
    ('p', "aeghkltwy"),
    ('q', "a"),
    ('r', "osuw"),
    ('s', "abcdegiklmnorstvyz"),
    ('t', "dghjlmnortvz"),
    ('u', "agsyz"),
    ('v', "acenu"),
    ('w', "s"),
    ('y', "e"),
    ('z', "amw"),
];

/// An address for each two letters, whether there is such a country or not.
pub fn urls(base: &str) -> Vec<String> {
    let pairs = ('a'..='z').flat_map(|first| ('a'..='z').map(move |second| format!("{first}{second}")));
    pairs.map(|code| format!("{base}/{code}/{code}.gif")).collect()
}

/// The server's answer: a flag, or 404.
pub fn answer(request: &Request) -> Reply {
    match country(request.path()) {
        Some((first, second)) => Reply::typed("image/gif", tricolour(first, second)),
        None => Reply::not_found(),
    }
}

/// The country whose picture is at this path, `/CC/CC.gif`.
fn country(path: &str) -> Option<(char, char)> {
    let (folder, file) = path.strip_prefix('/')?.split_once('/')?;
    let mut letters = file.strip_suffix(".gif").filter(|code| *code == folder)?.chars();
    let code = (letters.next()?, letters.next()?);
    let (_, seconds) = COUNTRIES.iter().find(|(first, _)| *first == code.0)?;
    (letters.next().is_none() && seconds.contains(code.1)).then_some(code)
}

/// A GIF of three pixels side by side, in colours that follow from the letters.
pub fn tricolour(first: char, second: char) -> Vec<u8> {
    let shade = |letter: char, step: u8| (letter as u8 - b'a').wrapping_mul(step);
    let (one, two) = ([shade(first, 10), shade(second, 9), 60], [shade(second, 7), 40, shade(first, 8)]);
    let mut gif = b"GIF89a\x03\0\x01\0\xf1\0\0".to_vec(); // 3 × 1 pixels, a palette of four colours
    gif.extend([one, [255; 3], two, [0; 3]].as_flattened());
    gif.extend(b",\0\0\0\0\x03\0\x01\0\0"); // one picture, all of it
    // The pixels 0, 1, 2 as LZW codes of three bits: clear, 0, 1, clear, 2, end.
    gif.extend([2, 3, 0x44, 0xa8, 0x02, 0, b';']);
    gif
}
