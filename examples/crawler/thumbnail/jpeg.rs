//! JPEG: luma only wherever the decoder gets that right, and never half a picture.
//!
//! A JPEG is a row of segments, each a marker (0xFF and a kind), a length and a body; the frame header
//! (kind 0xC0 to 0xC2) tells how many samples each component has, and after the scan header (0xDA)
//! comes the coded picture up to the end marker (0xFFD9). ITU-T T.81, annex B.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::{Error, broken, check, to_grey};

/// Scans a progressive JPEG may have. Each costs a pass over all pixels, and real files have about 10.
const MAX_SCANS: usize = 64;

const FRAME_KINDS: std::ops::RangeInclusive<u8> = 0xC0..=0xC2;
const PROGRESSIVE: u8 = 0xC2;
const SCAN: u8 = 0xDA;
const FILL: u8 = 0xFF;
const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];

/// Do these bytes start like a JPEG?
pub fn is_jpeg(picture: &[u8]) -> bool {
    picture.starts_with(&[0xFF, 0xD8, 0xFF])
}

/// Decodes into grey `pixels`; returns width and height.
pub fn decode(picture: &[u8], max_pixels: u64, pixels: &mut Vec<u8>) -> Result<(u32, u32), Error> {
    let any_side = usize::from(u16::MAX);
    let options = DecoderOptions::default()
        .set_max_width(any_side)
        .set_max_height(any_side)
        .jpeg_set_max_scans(MAX_SCANS)
        .set_strict_mode(false);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(picture), options);
    decoder.decode_headers().map_err(broken)?;
    let (width, height) = decoder.dimensions().ok_or(Error::NotAPicture)?;
    let (width, height) = (width as u32, height as u32);
    check(width, height, max_pixels)?;
    let outline = Outline::of(picture);
    if !outline.ends {
        return Err(Error::CutShort);
    }
    let luma = outline.luma_alone()?
        && matches!(decoder.input_colorspace(), Some(ColorSpace::YCbCr | ColorSpace::Luma));
    let wanted = if luma { ColorSpace::Luma } else { ColorSpace::RGB };
    // Cameras are careless with headers, which does no harm; missing pixels are another matter.
    decoder.set_options(options.set_strict_mode(true).jpeg_set_out_colorspace(wanted));
    if luma {
        pixels.resize(width as usize * height as usize, 0);
        decoder.decode_into(pixels).map_err(broken)?;
    } else {
        to_grey(&decoder.decode().map_err(broken)?, pixels);
    }
    Ok((width, height))
}

/// What must be known of a file that the decoder does not tell.
#[derive(Debug, Default, PartialEq)]
struct Outline {
    progressive: bool,
    /// Samples across and down, in one byte, of each component; empty when there is no frame header.
    sampling: Vec<u8>,
    /// Is there an end marker after the headers?
    ends: bool,
}

impl Outline {
    /// Walks over the headers. A picture's own small preview stands inside one of them and has an end
    /// marker too, which is why the end is looked for only after them; what follows it is ignored.
    fn of(picture: &[u8]) -> Outline {
        let mut outline = Outline::default();
        let mut at = 2;
        while let Some(&[0xFF, kind, high, low]) = picture.get(at..at + 4) {
            if kind == FILL {
                at += 1;
                continue;
            }
            let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
            if FRAME_KINDS.contains(&kind) {
                let body = picture.get(at + 4..end).unwrap_or_default();
                outline.progressive = kind == PROGRESSIVE;
                // Precision, height, width and the number of components; then three bytes each.
                outline.sampling =
                    body.get(6..).unwrap_or_default().chunks_exact(3).map(|part| part[1]).collect();
            }
            at = end;
            if kind == SCAN {
                break;
            }
        }
        let scans = picture.get(at..).unwrap_or_default();
        outline.ends = scans.windows(2).rev().any(|pair| pair == END_OF_IMAGE);
        outline
    }

    /// May luma be decoded alone? zune-jpeg 0.5.15 gets it wrong where colour is stored at half the
    /// height and full width in a progressive file, and any output at all where luma has four samples
    /// down, or four across and two down: better refused than wrong.
    fn luma_alone(&self) -> Result<bool, Error> {
        let (luma, colours) = match self.sampling[..] {
            [luma, ref colours @ ..] => (luma, colours),
            [] => return Err(Error::Broken("it has no frame header".into())),
        };
        if !self.progressive && matches!(luma, 0x14 | 0x24 | 0x42 | 0x44) && !colours.is_empty() {
            let (across, down) = (luma >> 4, luma & 15);
            return Err(Error::Broken(format!("colour stored at 1/{across} × 1/{down} is not supported")));
        }
        let usual = matches!(luma, 0x11 | 0x21 | 0x22 | 0x41) || luma == 0x12 && !self.progressive;
        Ok(usual && colours.iter().all(|colour| *colour == 0x11))
    }
}
