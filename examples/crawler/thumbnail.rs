//! From a picture's bytes to a small grey thumbnail's bytes: what the blocking pool does.
//!
//! Nearly all the time goes into undoing the JPEG's entropy coding, so the rest is kept to what a grey
//! thumbnail needs. A JPEG stores luma apart from colour, and luma *is* grey by Rec. 601
//! (0.299 R + 0.587 G + 0.114 B): the decoder is asked for luma only, never computes a colour, and
//! the resize has one channel to do instead of three.
//!
//! ```text
//!   JPEG in YCbCr ── luma only ───────────────┐
//!   other JPEG ───── RGB ── Rec. 601 ─────────┼─ bicubic resize ── JPEG or PNG, 8-bit grey
//!   PNG GIF WebP BMP ─ RGB ── Rec. 601 ───────┘
//! ```
//!
//! The result is what decoding, resizing in colour and converting to grey would give, but for
//! rounding: the three steps are linear, so their order does not matter.
//!
//! Nothing is believed about the bytes. A picture's size is read from its header and checked before
//! any memory is taken for pixels, a file that ends early is an error and not half a picture, and a
//! decoder that panics loses this one job: the pool hands the panic to whoever awaits it.

mod jpeg;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::fmt;
use std::io::Cursor;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageReader};

/// JPEG quality of a thumbnail: high enough for the loss to stay under half a grey level.
const QUALITY: u8 = 99;
/// Decoded pixels a thread keeps room for between two pictures; bigger buffers are given back.
const KEPT: usize = 16 << 20;
/// Bytes a decoder may take per pixel that the header claims, for pictures other than JPEG.
const BYTES_PER_PIXEL: u64 = 8;

/// Why there is no thumbnail.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// The bytes do not start like any kind of picture known here.
    NotAPicture,
    /// The header claims more pixels than the limit allows.
    TooLarge { width: u32, height: u32, limit: u64 },
    /// The file ends before the picture does.
    CutShort,
    /// The decoder gave up, and said why.
    Broken(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotAPicture => write!(f, "not a picture (JPEG, PNG, GIF, WebP or BMP)"),
            Error::TooLarge { width, height, limit } => {
                write!(f, "claims {width} × {height} pixels, the limit is {limit} in all")
            }
            Error::CutShort => write!(f, "the file ends before the picture does"),
            Error::Broken(why) => write!(f, "cannot be decoded: {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// What a thread keeps from one picture to the next, so that memory is asked for once.
#[derive(Default)]
struct Desk {
    /// Grey pixels of the whole picture; empty before the first.
    pixels: Vec<u8>,
    resizer: Resizer,
}

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
}

/// Decodes `picture` and makes it `size` (width, height) grey pixels, row after row.
///
/// # Errors
/// [`Error`]; a picture that claims more than `max_pixels` is refused before it is decoded.
pub fn grey(picture: &[u8], size: (u32, u32), max_pixels: u64) -> Result<Vec<u8>, Error> {
    DESK.with_borrow_mut(|desk| {
        let (width, height) = if jpeg::is_jpeg(picture) {
            jpeg::decode(picture, max_pixels, &mut desk.pixels)?
        } else {
            decode_other(picture, max_pixels, &mut desk.pixels)?
        };
        let small = desk.resize(width, height, size);
        if desk.pixels.capacity() > KEPT {
            desk.pixels = Vec::new();
        }
        small
    })
}

/// Packs grey pixels into a file of the kind that `name` ends in: PNG for `.png`, otherwise JPEG.
pub fn pack(grey: &[u8], size: (u32, u32), name: &str) -> Result<Vec<u8>, Error> {
    let mut file = Vec::with_capacity(grey.len());
    let packed = if name.ends_with(".png") {
        PngEncoder::new(&mut file)
            .write_image(grey, size.0, size.1, ExtendedColorType::L8)
            .map_err(|error| error.to_string())
    } else {
        let (width, height) = (size.0 as u16, size.1 as u16);
        jpeg_encoder::Encoder::new(&mut file, QUALITY)
            .encode(grey, width, height, jpeg_encoder::ColorType::Luma)
            .map_err(|error| error.to_string())
    };
    packed.map_err(Error::Broken)?;
    Ok(file)
}

impl Desk {
    fn resize(&mut self, width: u32, height: u32, size: (u32, u32)) -> Result<Vec<u8>, Error> {
        let pixels = &self.pixels[..width as usize * height as usize];
        let source = ImageRef::new(width, height, pixels, PixelType::U8).map_err(broken)?;
        let mut small = Image::new(size.0, size.1, PixelType::U8);
        // Pillow's default for `resize`, and an exact one: every source pixel has its weight.
        let bicubic = ResizeAlg::Convolution(FilterType::CatmullRom);
        let options = ResizeOptions::new().resize_alg(bicubic);
        self.resizer.resize(&source, &mut small, &options).map_err(broken)?;
        Ok(small.into_vec())
    }
}

fn broken(error: impl fmt::Display) -> Error {
    Error::Broken(error.to_string())
}

fn check(width: u32, height: u32, limit: u64) -> Result<(), Error> {
    if u64::from(width) * u64::from(height) > limit {
        return Err(Error::TooLarge { width, height, limit });
    }
    if width == 0 || height == 0 {
        return Err(Error::Broken("it has no pixels".into()));
    }
    Ok(())
}

/// Decodes any other kind of picture into grey `pixels`; returns width and height.
fn decode_other(picture: &[u8], max_pixels: u64, pixels: &mut Vec<u8>) -> Result<(u32, u32), Error> {
    let mut reader = ImageReader::new(Cursor::new(picture)).with_guessed_format().map_err(broken)?;
    if reader.format().is_none() {
        return Err(Error::NotAPicture);
    }
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(max_pixels.saturating_mul(BYTES_PER_PIXEL));
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(why)?;
    let (width, height) = decoder.dimensions();
    check(width, height, max_pixels)?;
    match DynamicImage::from_decoder(decoder).map_err(why)? {
        DynamicImage::ImageLuma8(grey) => *pixels = grey.into_raw(),
        colours => to_grey(colours.into_rgb8().as_raw(), pixels),
    }
    Ok((width, height))
}

/// Tells a file that ends early from one that is wrong.
fn why(error: image::ImageError) -> Error {
    match error {
        image::ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::CutShort
        }
        image::ImageError::Unsupported(_) => Error::NotAPicture,
        other => broken(other),
    }
}

/// Rec. 601 in whole numbers, rounded to the nearest grey level: 19595 / 65536 is 0.299, and so on.
fn to_grey(colours: &[u8], pixels: &mut Vec<u8>) {
    pixels.clear();
    pixels.extend(colours.chunks_exact(3).map(|rgb| {
        let (r, g, b) = (u32::from(rgb[0]), u32::from(rgb[1]), u32::from(rgb[2]));
        ((19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16) as u8
    }));
}
