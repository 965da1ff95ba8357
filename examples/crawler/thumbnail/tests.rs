//! Each kind of picture against the plain way, and each way a picture can be wrong.

use image::imageops::{self, FilterType};
use image::{ImageFormat, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::*;

const SIZE: (u32, u32) = (120, 120);
const LIMIT: u64 = 50_000_000;

/// A picture with large shapes, edges and fine detail.
fn sample(width: u32, height: u32) -> RgbImage {
    let mut random = crate::site::noise::Random::new(5);
    RgbImage::from_fn(width, height, |x, y| {
        let speck = random.below(24) as u32;
        let disc = (x as i32 - 150).pow(2) + (y as i32 - 110).pow(2) < 70 * 70;
        let red = 30 + (x * 180 / width) + speck;
        let blue = 40 + (y * 170 / height) + speck;
        Rgb([red as u8, if disc { 210 } else { 70 + speck as u8 }, blue as u8])
    })
}

/// The plain way: decode in colour, resize, then grey by Rec. 601.
fn plainly(file: &[u8]) -> Vec<f64> {
    let colours = image::load_from_memory(file).unwrap().to_rgb8();
    let small = imageops::resize(&colours, SIZE.0, SIZE.1, FilterType::CatmullRom);
    small
        .pixels()
        .map(|Rgb([r, g, b])| 0.299 * f64::from(*r) + 0.587 * f64::from(*g) + 0.114 * f64::from(*b))
        .collect()
}

fn difference(ours: &[u8], plain: &[f64]) -> f64 {
    assert_eq!(ours.len(), plain.len());
    let sum: f64 = ours.iter().zip(plain).map(|(ours, plain)| (f64::from(*ours) - plain).abs()).sum();
    sum / plain.len() as f64
}

fn assert_as_plain(what: &str, file: &[u8]) {
    let grey = grey(file, SIZE, LIMIT).unwrap_or_else(|error| panic!("{what}: {error}"));
    let away = difference(&grey, &plainly(file));
    assert!(away < 0.7, "{what}: {away:.2} grey levels away before packing");
    let packed = image::load_from_memory(&pack(&grey, SIZE, "a.jpg").unwrap()).unwrap();
    assert_eq!(packed.color(), image::ColorType::L8);
    let away = difference(packed.to_luma8().as_raw(), &plainly(file));
    assert!(away < 1.0, "{what}: {away:.2} grey levels away");
}

fn jpeg(picture: &RgbImage, set: impl Fn(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 88);
    set(&mut encoder);
    encoder.encode(picture, picture.width() as u16, picture.height() as u16, ColorType::Rgb).unwrap();
    file
}

fn written(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

#[test]
fn a_jpeg_of_any_sampling_and_size_is_as_if_decoded_plainly() {
    use SamplingFactor::{F_1_1, F_1_2, F_2_1, F_2_2, F_4_1};
    for (width, height) in [(400, 300), (401, 299), (160, 128), (17, 33), (1, 1)] {
        let picture = sample(width, height);
        for sampling in [F_1_1, F_2_1, F_1_2, F_2_2, F_4_1] {
            for progressive in [false, true] {
                let file = jpeg(&picture, |encoder| {
                    encoder.set_sampling_factor(sampling);
                    encoder.set_progressive(progressive);
                });
                assert_as_plain(
                    &format!("{width} × {height} {sampling:?} progressive: {progressive}"),
                    &file,
                );
            }
        }
    }
}

#[test]
fn a_jpeg_with_restart_markers_is_as_if_decoded_plainly() {
    let file = jpeg(&sample(400, 300), |encoder| {
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder.set_restart_interval(8);
    });
    assert_as_plain("restart markers", &file);
}

#[test]
fn grey_and_cmyk_jpegs_are_as_if_decoded_plainly() {
    let picture = sample(400, 300);
    assert_as_plain("grey", &written(imageops::grayscale(&picture), ImageFormat::Jpeg));
    let inks: Vec<u8> = picture.pixels().flat_map(|Rgb([r, g, b])| [255 - r, 255 - g, 255 - b, 20]).collect();
    for kind in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        let mut file = Vec::new();
        Encoder::new(&mut file, 90).encode(&inks, 400, 300, kind).unwrap();
        assert_as_plain(&format!("{kind:?}"), &file);
    }
}

#[test]
fn other_kinds_of_picture_are_as_if_decoded_plainly() {
    let picture = DynamicImage::from(sample(400, 300));
    for format in [ImageFormat::Png, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::WebP] {
        assert_as_plain(&format!("{format:?}"), &written(picture.clone(), format));
    }
    let mut glass = picture.to_rgba8();
    glass.enumerate_pixels_mut().for_each(|(x, _, pixel)| pixel[3] = x as u8);
    assert_as_plain("PNG with alpha", &written(glass, ImageFormat::Png));
    assert_as_plain("PNG of 16 bits", &written(picture.to_rgb16(), ImageFormat::Png));
    assert_as_plain("grey PNG", &written(picture.to_luma8(), ImageFormat::Png));
}

#[test]
fn a_thumbnail_is_packed_as_its_name_ends() {
    let grey = vec![90; 120 * 120];
    assert!(pack(&grey, SIZE, "a.png").unwrap().starts_with(b"\x89PNG"));
    assert!(pack(&grey, SIZE, "a.jpeg").unwrap().starts_with(&[0xFF, 0xD8]));
}

#[test]
fn a_jpeg_cut_anywhere_is_an_error() {
    for progressive in [false, true] {
        let whole = jpeg(&sample(300, 200), |encoder| encoder.set_progressive(progressive));
        for end in (0..whole.len()).step_by(97).chain([whole.len() - 2, whole.len() - 1]) {
            assert!(grey(&whole[..end], SIZE, LIMIT).is_err(), "cut at {end} of {}", whole.len());
        }
    }
}

#[test]
fn a_sampling_that_the_decoder_gets_wrong_is_refused() {
    let file = jpeg(&sample(64, 64), |encoder| encoder.set_sampling_factor(SamplingFactor::F_4_2));
    let refused = grey(&file, SIZE, LIMIT).unwrap_err().to_string();
    assert_eq!(refused, "cannot be decoded: colour stored at 1/4 × 1/2 is not supported");
}

#[test]
fn bytes_after_the_end_of_a_jpeg_do_no_harm() {
    let mut file = jpeg(&sample(300, 200), |_| {});
    file.extend_from_slice(b"</html>");
    assert_as_plain("bytes after the end", &file);
}

#[test]
fn a_cut_png_is_an_error() {
    let whole = written(sample(300, 200), ImageFormat::Png);
    for end in [9, 40, whole.len() / 2] {
        assert!(grey(&whole[..end], SIZE, LIMIT).is_err(), "cut at {end} of {}", whole.len());
    }
}

#[test]
fn a_claim_of_60_000_by_60_000_pixels_is_refused_by_its_header() {
    let mut jpeg = jpeg(&sample(16, 16), |_| {});
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]);
    let mut png = written(sample(16, 16), ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]);
    let sum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&sum.to_be_bytes());
    let mut gif = written(sample(16, 16), ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0x60, 0xEA, 0x60, 0xEA]);
    let claim = Error::TooLarge { width: 60_000, height: 60_000, limit: LIMIT };
    for (what, file) in [("JPEG", jpeg), ("PNG", png), ("GIF", gif)] {
        assert_eq!(grey(&file, SIZE, LIMIT), Err(claim.clone()), "{what}");
    }
    assert_eq!(claim.to_string(), "claims 60000 × 60000 pixels, the limit is 50000000 in all");
}

/// PNG's checksum, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32| if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| step(sum)))
}

#[test]
fn what_is_not_a_picture_is_called_so() {
    for bytes in [&b""[..], b"<!doctype html><p>no picture here", b"\0\0\0\0", b"%PDF-1.7"] {
        assert_eq!(grey(bytes, SIZE, LIMIT), Err(Error::NotAPicture), "{bytes:?}");
    }
}

#[test]
fn bytes_changed_at_random_give_an_error_or_a_thumbnail() {
    let files = [jpeg(&sample(64, 48), |_| {}), written(sample(64, 48), ImageFormat::Png)];
    let mut random = crate::site::noise::Random::new(11);
    for round in 0..300 {
        let mut file = files[round % 2].clone();
        for _ in 0..1 + random.below(8) {
            let at = random.below(file.len());
            file[at] = random.next() as u8;
        }
        // A panic of the decoder is caught by the pool, and is no failure here.
        let outcome = std::panic::catch_unwind(|| grey(&file, SIZE, 1 << 20));
        if let Ok(Ok(grey)) = outcome {
            assert_eq!(grey.len(), 120 * 120);
        }
    }
}
