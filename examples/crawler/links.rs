//! Which pictures does a listing page show?
//!
//! Those in `<img src="…">` and in `style="… url(…) …"`, as Flickr's listing has them. A page is read
//! in one pass over its bytes by the rules of HTML for tags and attributes; no tree is built, so a page
//! of 60 KB costs a fraction of what a full parser takes (the tests compare the two). What a script or
//! a comment says is not looked at.

use std::borrow::Cow;
use std::collections::HashSet;

use url::Url;

/// Pictures taken from one page; more are ignored.
pub const MAX_PER_PAGE: usize = 10_000;
/// Bytes an address may have; longer ones are ignored.
pub const MAX_ADDRESS: usize = 4096;

/// Name endings that thumbnails can be made of. A name without an ending may be a picture too.
const ENDINGS: [&str; 7] = ["jpg", "jpeg", "jpe", "png", "gif", "webp", "bmp"];
/// Elements whose content is text up to their own end tag, whatever it looks like.
const RAW: [&str; 6] = ["script", "style", "textarea", "title", "xmp", "iframe"];

/// The addresses of the pictures on a page that came from `page`: in the page's order, each once,
/// without fragments.
pub fn pictures(html: &[u8], page: &Url) -> Vec<Url> {
    let mut base = page.clone();
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut add = |base: &Url, address: &str| {
        if let Some(url) = picture(base, address)
            && found.len() < MAX_PER_PAGE
            && seen.insert(url.as_str().to_owned())
        {
            found.push(url);
        }
    };
    attributes(html, |tag, name, value| {
        if is(tag, "img") && is(name, "src") {
            add(&base, &text(value));
        } else if is(name, "style") {
            css_urls(&text(value), |address| add(&base, address));
        } else if is(tag, "base") && is(name, "href") {
            base = page.join(text(value).trim()).unwrap_or_else(|_| page.clone());
        }
    });
    found
}

/// The address as a whole URL, if it can be one of a picture.
fn picture(base: &Url, address: &str) -> Option<Url> {
    let address = address.trim();
    if address.is_empty() || address.len() > MAX_ADDRESS {
        return None;
    }
    let mut url = base.join(address).ok()?;
    let name = url.path_segments()?.next_back()?;
    let known = match name.rsplit_once('.') {
        Some((_, ending)) => ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)),
        None => !name.is_empty(),
    };
    let fetched = matches!(url.scheme(), "http" | "https") && url.has_host();
    url.set_fragment(None);
    (known && fetched).then_some(url)
}

fn is(word: &[u8], wanted: &str) -> bool {
    word.eq_ignore_ascii_case(wanted.as_bytes())
}

/// Calls `visit` with the addresses in every `url(…)` of a style.
fn css_urls(style: &str, mut visit: impl FnMut(&str)) {
    let mut rest = style;
    while let Some(at) = find_ignoring_case(rest.as_bytes(), b"url(") {
        let inside = rest[at + 4..].trim_start();
        let (end, skip) = match inside.chars().next() {
            Some(quote @ ('"' | '\'')) => (quote, 1),
            _ => (')', 0),
        };
        let Some(length) = inside[skip..].find(end) else { return };
        visit(&inside[skip..skip + length]);
        rest = &inside[skip + length + 1..];
    }
}

fn find_ignoring_case(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part.eq_ignore_ascii_case(wanted))
}

/// An attribute's value as text, with its character references decoded.
fn text(value: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(value);
    if !text.contains('&') {
        return text;
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = &text[..];
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let (character, length) = reference(rest).unwrap_or(('&', 1));
        decoded.push(character);
        rest = &rest[length..];
    }
    decoded.push_str(rest);
    decoded.into()
}

/// The character that a reference such as `&amp;` or `&#38;` stands for, and the reference's length.
fn reference(text: &str) -> Option<(char, usize)> {
    // No reference read here is longer than this: `&#x10FFFF;`.
    let end = text.bytes().take(10).position(|byte| byte == b';')?;
    let name = &text[1..end];
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((character, end + 1))
}

/// Calls `visit` with tag, name and value of every attribute of every start tag.
fn attributes<'a>(html: &'a [u8], mut visit: impl FnMut(&'a [u8], &'a [u8], &'a [u8])) {
    let mut reader = Reader { html, at: 0 };
    while reader.skip_past(b"<") {
        match reader.peek() {
            Some(b'!') if html[reader.at..].starts_with(b"!--") => {
                // `<!-->` is a whole comment, so the dashes may be the same ones.
                reader.at += 1;
                reader.skip_past(b"-->");
            }
            Some(b'!' | b'?' | b'/') => {
                reader.skip_past(b">");
            }
            Some(byte) if byte.is_ascii_alphabetic() => {
                let tag = reader.word(|byte| byte == b'/');
                while let Some((name, value)) = reader.attribute() {
                    visit(tag, name, value);
                }
                if RAW.iter().any(|raw| is(tag, raw)) {
                    reader.skip_raw(tag);
                }
            }
            _ => {}
        }
    }
}

/// A place in a page.
struct Reader<'a> {
    html: &'a [u8],
    /// The next byte to read; never past the end.
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.html.get(self.at).copied()
    }

    /// Goes on after the next `mark`, or to the end of the page if there is none.
    fn skip_past(&mut self, mark: &[u8]) -> bool {
        let rest = &self.html[self.at..];
        let found = match mark {
            [byte] => rest.iter().position(|candidate| candidate == byte),
            _ => rest.windows(mark.len()).position(|part| part == mark),
        };
        self.at = found.map_or(self.html.len(), |position| self.at + position + mark.len());
        found.is_some()
    }

    /// Goes on at the end tag of the raw text element `tag`.
    fn skip_raw(&mut self, tag: &[u8]) {
        while self.skip_past(b"</") {
            let rest = &self.html[self.at..];
            if rest.len() >= tag.len() && rest[..tag.len()].eq_ignore_ascii_case(tag) {
                return;
            }
        }
    }

    fn skip_while(&mut self, skipped: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&skipped) {
            self.at += 1;
        }
    }

    /// Reads up to white space, the end of the tag, or what `also` ends a word.
    fn word(&mut self, also: impl Fn(u8) -> bool) -> &'a [u8] {
        let start = self.at;
        self.skip_while(|byte| !byte.is_ascii_whitespace() && byte != b'>' && !also(byte));
        &self.html[start..self.at]
    }

    /// Reads the next attribute; at the end of the tag, passes it and returns `None`.
    fn attribute(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        self.skip_while(|byte| byte.is_ascii_whitespace() || byte == b'/');
        if self.peek()? == b'>' {
            self.at += 1;
            return None;
        }
        // An equals sign that comes first belongs to the name: odd, but so the standard says.
        let start = self.at;
        self.at += 1;
        self.word(|byte| matches!(byte, b'/' | b'='));
        let name = &self.html[start..self.at];
        self.skip_while(|byte| byte.is_ascii_whitespace());
        if self.peek() != Some(b'=') {
            return Some((name, b""));
        }
        self.at += 1;
        self.skip_while(|byte| byte.is_ascii_whitespace());
        let value = match self.peek()? {
            quote @ (b'"' | b'\'') => {
                self.at += 1;
                let start = self.at;
                // A quote that never ends makes no attribute, and no tag.
                if !self.skip_past(&[quote]) {
                    return None;
                }
                &self.html[start..self.at - 1]
            }
            _ => self.word(|_| false),
        };
        Some((name, value))
    }
}

#[cfg(test)]
mod tests;
