//! The embedded site's pictures: 481 photographs of 1024 × 768, made in a fraction of a second.
//!
//! Painting and encoding 481 pictures would take seconds. Instead twelve larger canvases are encoded
//! once, with a *restart marker* after every 8 MCUs. (An MCU is a JPEG's unit, 16 × 16 pixels here;
//! at a restart marker the coder starts afresh: byte-aligned, predictions back at zero.) What lies
//! between two markers is a segment of 128 × 16 pixels that means the same wherever it stands, so a
//! picture is a *window* on a canvas, cut out with no decoding and no encoding:
//!
//! ```text
//!   canvas: 12 × 72 segments             picture: 8 × 48 segments
//!   ┌──┬──┬──┬──┬──┬──┬──┬──┬ ─          header (its own size, the canvas's tables)
//!   │  │  │  │  │  │  │  │  │            segment, RST0, segment, RST1, … RST7, segment, RST0, …
//!   ├──┼──╔══╪══╪══╪══╪══╪══╪            end of image
//!   │  │  ║  │  │  │  │  │  │
//!   ├──┼──╫──┼ window at column 2, row 1
//! ```
//!
//! Restart intervals: ITU-T T.81, sections B.2.4.4 and E.1.4.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType, SamplingFactor};

use super::landscape::{Canvas, HEIGHT, WIDTH};
use super::noise::Noise;
use super::scenes::SCENES;

/// How many pictures the site has.
pub const COUNT: usize = 481;
/// Size of every picture in pixels.
pub const PICTURE: (usize, usize) = (1024, 768);

const SEED: u64 = 2019;
/// JPEG quality, the usual 1 to 100 scale: gives 100 to 300 KB a picture.
const QUALITY: u8 = 90;
/// MCUs between two restart markers.
const INTERVAL: usize = 8;
/// Side of an MCU in pixels, with the colours stored at half size (4:2:0).
const MCU: usize = 16;

/// Segments across and down a canvas, and across and down a picture.
const CANVAS: (usize, usize) = (WIDTH / (MCU * INTERVAL), HEIGHT / MCU);
const WINDOW: (usize, usize) = (PICTURE.0 / (MCU * INTERVAL), PICTURE.1 / MCU);
/// Places where a window may lie on a canvas.
const PLACES: (usize, usize) = (CANVAS.0 - WINDOW.0 + 1, CANVAS.1 - WINDOW.1 + 1);

/// The second bytes of the JPEG markers met here; the first is always 0xFF.
const FRAME: u8 = 0xC0;
const RESTART: u8 = 0xD0;
const END_OF_IMAGE: u8 = 0xD9;
const SCAN: u8 = 0xDA;

/// A canvas, encoded, with an index of its segments.
struct Encoded {
    /// The file up to the first segment, with a picture's size in place of the canvas's.
    header: Vec<u8>,
    /// The whole file.
    bytes: Vec<u8>,
    /// Where each segment starts and ends in `bytes`, row after row.
    segments: Vec<(usize, usize)>,
}

/// All pictures of the site.
pub struct Photos {
    canvases: Vec<Encoded>,
}

impl Photos {
    /// Paints and encodes the canvases, on as many threads as there are cores.
    pub fn new() -> Photos {
        let noise = Noise::new(SEED);
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::new());
        let threads = thread::available_parallelism().map_or(1, usize::from).min(SCENES.len());
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(scene) = SCENES.get(index) else { break };
                        let canvas = Canvas::new(scene, &noise, SEED + index as u64);
                        let encoded = Encoded::new(encode(canvas));
                        done.lock()
                            .expect("no painter panics while it holds the list")
                            .push((index, encoded));
                    }
                });
            }
        });
        let mut done = done.into_inner().expect("all painters have ended");
        done.sort_by_key(|(index, _)| *index);
        Photos { canvases: done.into_iter().map(|(_, encoded)| encoded).collect() }
    }

    /// The JPEG file of picture `index`, assembled now; `None` from [`COUNT`] on.
    pub fn get(&self, index: usize) -> Option<Vec<u8>> {
        if index >= COUNT {
            return None;
        }
        let canvas = self.canvases.get(index % self.canvases.len())?;
        Some(canvas.window(place(index / self.canvases.len())))
    }
}

/// The file name of picture `index`: its number from 1, and its scene.
pub fn name(index: usize) -> String {
    format!("{:03}-{}.jpg", index + 1, SCENES[index % SCENES.len()].name)
}

/// Where window `nth` lies on its canvas. A step of 3 through all places spreads them over it, and
/// none is met twice.
fn place(nth: usize) -> (usize, usize) {
    let place = nth * 3 % (PLACES.0 * PLACES.1);
    (place % PLACES.0, place / PLACES.0)
}

impl Encoded {
    /// Finds the segments of a file that this module's encoder made.
    fn new(bytes: Vec<u8>) -> Encoded {
        let scan = scan_start(&bytes);
        let mut segments = Vec::with_capacity(CANVAS.0 * CANVAS.1);
        let mut start = scan;
        for at in scan..bytes.len() - 1 {
            let marker = bytes[at + 1];
            if bytes[at] == 0xFF && matches!(marker, RESTART..=END_OF_IMAGE) {
                segments.push((start, at));
                start = at + 2;
            }
        }
        Encoded { header: picture_header(&bytes[..scan]), bytes, segments }
    }

    /// Cuts the picture whose top left segment is (`column`, `row`).
    fn window(&self, (column, row): (usize, usize)) -> Vec<u8> {
        let rows = (row..row + WINDOW.1).map(|row| {
            let first = row * CANVAS.0 + column;
            &self.segments[first..first + WINDOW.0]
        });
        let length: usize = rows.clone().flatten().map(|(start, end)| end - start + 2).sum();
        let mut picture = Vec::with_capacity(self.header.len() + length);
        picture.extend_from_slice(&self.header);
        let last = WINDOW.0 * WINDOW.1 - 1;
        for (number, &(start, end)) in rows.flatten().enumerate() {
            picture.extend_from_slice(&self.bytes[start..end]);
            let restart = RESTART + (number % 8) as u8;
            picture.extend([0xFF, if number == last { END_OF_IMAGE } else { restart }]);
        }
        picture
    }
}

/// Where the first segment starts: after the scan header, the last marker with a length.
fn scan_start(bytes: &[u8]) -> usize {
    let mut at = 2;
    loop {
        let end = at + 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        if bytes[at + 1] == SCAN {
            return end;
        }
        at = end;
    }
}

/// A copy of a canvas's header that tells a picture's size.
fn picture_header(header: &[u8]) -> Vec<u8> {
    let mut header = header.to_vec();
    let frame = header.windows(2).position(|pair| pair == [0xFF, FRAME]);
    let frame = frame.expect("a baseline JPEG has a frame header");
    // Marker, length and sample precision come before the height and the width.
    header[frame + 5..frame + 7].copy_from_slice(&(PICTURE.1 as u16).to_be_bytes());
    header[frame + 7..frame + 9].copy_from_slice(&(PICTURE.0 as u16).to_be_bytes());
    header
}

fn encode(canvas: Canvas) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 << 20);
    let mut encoder = Encoder::new(&mut bytes, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.set_restart_interval(INTERVAL as u16);
    encoder.encode_image(canvas).expect("a canvas has a size a JPEG can have, and memory takes it");
    bytes
}

impl ImageBuffer for Canvas<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        WIDTH as u16
    }

    fn height(&self) -> u16 {
        HEIGHT as u16
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        self.paint_row(usize::from(y), buffers);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use zune_core::bytestream::ZCursor;
    use zune_core::colorspace::ColorSpace;
    use zune_core::options::DecoderOptions;
    use zune_jpeg::JpegDecoder;

    use super::*;

    /// Width, height and luma of a JPEG.
    fn decoded(jpeg: &[u8]) -> (usize, usize, Vec<u8>) {
        let options =
            DecoderOptions::default().set_strict_mode(true).jpeg_set_out_colorspace(ColorSpace::Luma);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
        let luma = decoder.decode().unwrap();
        let (width, height) = decoder.dimensions().unwrap();
        (width, height, luma)
    }

    #[test]
    fn a_picture_is_exactly_its_window_of_the_canvas() {
        let noise = Noise::new(SEED);
        let file = encode(Canvas::new(&SCENES[0], &noise, SEED));
        let (_, _, whole) = decoded(&file);
        let canvas = Encoded::new(file);
        assert_eq!(canvas.segments.len(), CANVAS.0 * CANVAS.1);
        for (column, row) in [(0, 0), (3, 7), (PLACES.0 - 1, PLACES.1 - 1)] {
            let picture = canvas.window((column, row));
            assert!((100_000..300_000).contains(&picture.len()), "{} bytes", picture.len());
            let (width, height, luma) = decoded(&picture);
            assert_eq!((width, height), PICTURE);
            let left = column * INTERVAL * MCU;
            for y in 0..height {
                let start = (row * MCU + y) * WIDTH + left;
                assert!(
                    luma[y * width..][..width] == whole[start..start + width],
                    "row {y} at {column}, {row}"
                );
            }
        }
    }

    #[test]
    fn no_two_pictures_have_the_same_window_or_name() {
        let windows: HashSet<_> =
            (0..COUNT).map(|index| (index % SCENES.len(), place(index / SCENES.len()))).collect();
        assert_eq!(windows.len(), COUNT);
        assert_eq!((0..COUNT).map(name).collect::<HashSet<_>>().len(), COUNT);
    }
}
