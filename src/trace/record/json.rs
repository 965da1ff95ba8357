//! Chapter 35, part 13: numbers and strings as JSON, written by hand.
//!
//! A recorder writes millions of lines, all of the same few forms, so there is nothing to be gained from a library for
//! any JSON. What has to be right is the escaping: names of tasks and threads come from the program, and through it from
//! anywhere.
//!
//! ```text
//!   a name            in the file
//!   fetch "a"    →    "fetch \"a\""
//!   two lines    →    "two\nlines"
//!   </script>    →    "\u003c/script>"      a page that holds a recording cannot be broken out of
//! ```
//!
//! Before: `trace/record.rs`. Next: `trace/record/words.rs`, the words for who, what and how.

/// The most bytes of a string that are written. A longer one is cut there, and ends with `…`.
pub(crate) const MAX_TEXT: usize = 64 << 10;

/// Appends a number in decimal digits.
#[inline]
pub(crate) fn number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// Appends a string in quotes, with everything escaped that JSON wants escaped, and what would end a script in a page.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let short = cut(text);
    // What needs no escaping, the usual case, is copied piece by piece.
    let mut plain = 0;
    for (index, &byte) in short.as_bytes().iter().enumerate() {
        if !needs_escape(byte) {
            continue;
        }
        let width = escape_width(&short.as_bytes()[index..]);
        if width == 0 {
            continue;
        }
        out.extend_from_slice(&short.as_bytes()[plain..index]);
        escape(out, &short[index..index + width]);
        plain = index + width;
    }
    out.extend_from_slice(&short.as_bytes()[plain..]);
    if short.len() < text.len() {
        out.extend_from_slice("…".as_bytes());
    }
    out.push(b'"');
}

/// Whether an escape may begin with this byte: the three-byte line separators begin with 0xe2, as do others.
fn needs_escape(byte: u8) -> bool {
    byte < b' ' || matches!(byte, b'"' | b'\\' | b'<' | 0x7f | 0xe2)
}

/// How many bytes of `rest` are to be escaped together; 0: none.
fn escape_width(rest: &[u8]) -> usize {
    match rest {
        [0xe2, 0x80, 0xa8 | 0xa9, ..] => 3,
        [0xe2, ..] => 0,
        _ => 1,
    }
}

/// Appends one letter as an escape.
fn escape(out: &mut Vec<u8>, letter: &str) {
    let short: &[u8] = match letter {
        "\"" => b"\\\"",
        "\\" => b"\\\\",
        "\n" => b"\\n",
        "\r" => b"\\r",
        "\t" => b"\\t",
        _ => b"",
    };
    if !short.is_empty() {
        return out.extend_from_slice(short);
    }
    for letter in letter.chars() {
        out.extend_from_slice(format!("\\u{:04x}", u32::from(letter)).as_bytes());
    }
}

/// At most `MAX_TEXT` bytes, and whole letters.
fn cut(text: &str) -> &str {
    if text.len() <= MAX_TEXT {
        return text;
    }
    let end = (0..=MAX_TEXT).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        string(&mut out, text);
        String::from_utf8(out).expect("what is cut from a string between letters is a string")
    }

    #[test]
    fn what_json_wants_escaped_is_escaped() {
        assert_eq!(written("plain, ä, 日本, 🦀"), "\"plain, ä, 日本, 🦀\"");
        assert_eq!(written("say \"a\\b\"\n\tend\r"), r#""say \"a\\b\"\n\tend\r""#);
        assert_eq!(written("\0\u{1b}[31m\u{7f}"), r#""\u0000\u001b[31m\u007f""#);
    }

    #[test]
    fn nothing_can_break_out_of_a_script() {
        assert_eq!(written("</script>"), r#""\u003c/script>""#);
        assert_eq!(written("\u{2028}—\u{2029}"), "\"\\u2028—\\u2029\"");
    }

    #[test]
    fn a_long_text_is_cut_between_two_letters() {
        let long = "ä".repeat(1 << 20);
        assert!(written(&long).len() < MAX_TEXT + 8 && written(&long).ends_with("ä…\""));
        assert_eq!(written(&"x".repeat(MAX_TEXT)).len(), MAX_TEXT + 2);
    }

    #[test]
    fn numbers_of_any_size_are_written() {
        for value in [0, 7, 10, 1_000_000_007, u64::MAX] {
            let mut out = Vec::new();
            number(&mut out, value);
            assert_eq!(out, value.to_string().into_bytes());
        }
    }
}
