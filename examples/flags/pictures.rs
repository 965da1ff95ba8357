//! What the server inside this program has to offer: a small picture for each country.

use oneloop::http::{Reply, Request};

use super::gif::tricolour;

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
