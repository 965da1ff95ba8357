//! A small picture, made by hand.

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
