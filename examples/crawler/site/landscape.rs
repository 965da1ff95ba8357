//! Paints the scenery that the embedded site's pictures are cut from.
//!
//! A scene is a sky, some ridges one behind the other, and the ground in front. A row is painted at
//! the moment the encoder asks for it, so a canvas of 1.8 million pixels never exists as pixels.
//! Colours are mixed as luma and colour difference, which is what a JPEG stores; mixing is linear, so
//! the result is the same as in RGB, and no pixel has to be converted.
//!
//! ```text
//!   zenith  ┌──────────────────────────┐
//!           │   clouds      (sun)      │  Sky
//!   horizon │      /\                  │
//!           │ ____/  \____/\___  far   │  Ridge 0: hazy, in the sky's colour
//!           │ __/\______/     \__ near │  Ridge 1: darker, more relief
//!   shore   │ ~~~~~~~~~~~~~~~~~~~~~~~~ │  the last ridge is the ground: water, sand, wood, …
//!           └──────────────────────────┘
//! ```

use super::noise::{Noise, Random};
use super::outline;
use super::scenes::{Ground, Scene};

/// Width of a canvas in pixels: half as much again as a picture's.
pub const WIDTH: usize = 1536;
/// Height of a canvas in pixels: half as much again as a picture's.
pub const HEIGHT: usize = 1152;

/// Strength of the camera's noise in grey levels, and in levels of colour difference.
const GRAIN: f32 = 4.0;
const COLOUR_GRAIN: f32 = 6.0;

/// A colour: luma 0 to 255, and two colour differences around 0 (JFIF's YCbCr, unrounded).
#[derive(Clone, Copy, Debug)]
pub struct Colour {
    luma: f32,
    blue: f32,
    red: f32,
}

impl Colour {
    /// From `0xRRGGBB`.
    pub const fn rgb(hex: u32) -> Colour {
        let r = (hex >> 16 & 255) as f32;
        let g = (hex >> 8 & 255) as f32;
        let b = (hex & 255) as f32;
        Colour {
            luma: 0.299 * r + 0.587 * g + 0.114 * b,
            blue: -0.168_736 * r - 0.331_264 * g + 0.5 * b,
            red: 0.5 * r - 0.418_688 * g - 0.081_312 * b,
        }
    }

    /// The colour `t` of the way to `other`.
    #[inline]
    fn mix(self, other: Colour, t: f32) -> Colour {
        Colour {
            luma: self.luma + (other.luma - self.luma) * t,
            blue: self.blue + (other.blue - self.blue) * t,
            red: self.red + (other.red - self.red) * t,
        }
    }

    /// The same colour, lighter by `by` grey levels.
    #[inline]
    fn lit(self, by: f32) -> Colour {
        Colour { luma: self.luma + by, ..self }
    }
}

/// One line of hills, or the ground in front of them.
struct Ridge {
    /// The ridge's first row, by column.
    top: Vec<f32>,
    /// The lowest of `top`: from here down the ridge hides all that is behind it.
    full: f32,
    /// Light by column: positive where the crest falls away from the sun's side.
    slope: Vec<f32>,
    crest: Colour,
    foot: Colour,
    /// Strength of the ground's texture in grey levels.
    relief: f32,
    /// Rows of snow under the crest.
    snow: f32,
}

/// A scene, laid out and ready to be painted row by row.
pub struct Canvas<'a> {
    scene: &'a Scene,
    noise: &'a Noise,
    /// Far to near; the last one is the ground.
    ridges: Vec<Ridge>,
    /// First row of the ground, where the sky's gradient ends too.
    shore: f32,
    /// Where this scene starts to read the shared noise, so that no two have the same clouds.
    origin: (usize, usize),
}

impl<'a> Canvas<'a> {
    pub fn new(scene: &'a Scene, noise: &'a Noise, seed: u64) -> Canvas<'a> {
        let mut random = Random::new(seed);
        let shore = HEIGHT as f32 * scene.shore;
        let mut ridges: Vec<Ridge> = (0..scene.ridges).map(|i| hills(scene, i, shore, &mut random)).collect();
        ridges.push(ground(scene, shore, &mut random));
        let origin = (random.below(512), random.below(512));
        Canvas { scene, noise, ridges, shore, origin }
    }

    /// Paints row `y`: one value a column is added to each of the planes Y, Cb, Cr.
    pub fn paint_row(&self, y: usize, planes: &mut [Vec<u8>; 4]) {
        let row = y as f32;
        let first = self.ridges.iter().rposition(|ridge| row >= ridge.full).unwrap_or(0);
        let candidates = &self.ridges[first..];
        let last = candidates.len() - 1;
        let sky = Sky::new(self, row);
        let [luma, blue, red, _] = planes;
        for x in 0..WIDTH {
            let front = candidates.iter().rposition(|ridge| row >= ridge.top[x]);
            let colour = match front {
                Some(i) if i == last => self.ground(x, y, &sky),
                Some(i) => self.hill(&candidates[i], x, y),
                None => sky.at(self, x),
            };
            let grain = |offset: usize| self.noise.grain(x + offset + self.origin.0, y + self.origin.1);
            luma.push((colour.luma + grain(0) * GRAIN) as u8);
            blue.push((colour.blue + 128.0 + grain(91) * COLOUR_GRAIN) as u8);
            red.push((colour.red + 128.0 + grain(217) * COLOUR_GRAIN) as u8);
        }
    }

    fn hill(&self, ridge: &Ridge, x: usize, y: usize) -> Colour {
        let depth = y as f32 - ridge.top[x];
        let (u, v) = (x + self.origin.0, y + self.origin.1);
        let patch = self.noise.at(u >> 1, v >> 1);
        let bump = self.noise.at(u, v) - self.noise.at(u + 3, v + 2);
        let stone = self.noise.grain(u >> 1, v >> 1) + self.noise.grain(u, v);
        let haze = (depth * 0.004).min(1.0);
        // The crest's light wanders sideways on its way down, or it would fall in straight stripes.
        let aside = x as f32 + patch * depth * 0.9 + bump * depth;
        let slope = ridge.slope[(aside.max(0.0) as usize).min(WIDTH - 1)] * (1.0 - haze);
        let shade = (bump * 9.0 + stone * 0.3 + patch * 0.5 + slope) * ridge.relief;
        let colour = ridge.crest.mix(ridge.foot, haze);
        if depth < ridge.snow * (1.0 + patch * 1.6 + bump * 7.0 + slope * 0.5) {
            return Colour::rgb(0xeef3fa).mix(colour, 0.2 + haze * 0.6).lit(shade * 0.8 - 10.0);
        }
        colour.lit(shade)
    }

    fn ground(&self, x: usize, y: usize, sky: &Sky) -> Colour {
        let (u, v) = (x + self.origin.0, y + self.origin.1);
        let depth = y as f32 - self.shore;
        let (main, patches) = self.scene.soil;
        let near = (depth / (HEIGHT as f32 - self.shore)).clamp(0.0, 1.0);
        match self.scene.ground {
            Ground::Water => self.water(x, near, depth, sky),
            Ground::Meadow => {
                let blade = self.noise.grain(u, v >> 2) + self.noise.grain(u + 7, v >> 1);
                let patch = self.noise.at(u >> 1, (v as f32 / (0.3 + near)) as usize >> 1);
                let flower = self.noise.grain(u / 3, v / 3) + patch * 0.5 > 0.86 - near * 0.2;
                let colour = if flower { patches } else { main.lit(patch * 30.0) };
                colour.lit(blade * (10.0 + 18.0 * near) - 16.0 * near)
            }
            Ground::Sand => {
                let bend = self.noise.smooth(u as f32 * 0.4, v as f32 * 0.4) * 9.0;
                let wave = depth / (5.0 + near * 14.0) + x as f32 * 0.004 + bend + 40.0;
                let ripple = (wave.fract() - 0.5).abs() * 2.0;
                let bump = self.noise.at(u, v) - self.noise.at(u + 2, v + 3);
                let grit = self.noise.grain(u, v + 9) * (8.0 + near * 12.0);
                main.mix(patches, ripple * 0.8).lit(bump * 120.0 + grit)
            }
            Ground::Snow => {
                let drift = self.noise.at(u >> 1, v) - self.noise.at((u >> 1) + 5, v + 3);
                let glint = self.noise.grain(u + 3, v) * (8.0 + near * 10.0);
                main.mix(patches, 0.4 + drift * 2.6).lit(glint - 14.0)
            }
            Ground::Town => self.town(x, y, near, sky),
            Ground::Wood => {
                let leaf = self.noise.at(u, v) - self.noise.at(u + 2, v + 2);
                let crown = self.noise.at(u >> 1, v >> 1);
                let speck = self.noise.grain(u >> 1, v >> 1) * 14.0;
                main.mix(patches, 0.5 + crown).lit(leaf * 240.0 + speck * 1.6 - 24.0 * near)
            }
        }
    }

    /// Ripples get longer and lower towards the shore; under the sun they glitter.
    fn water(&self, x: usize, near: f32, depth: f32, sky: &Sky) -> Colour {
        let (main, patches) = self.scene.soil;
        let far = 900.0 / (depth + 14.0);
        let u = x as f32 * (0.12 + far * 0.02) + 300.0;
        let ripple = self.noise.smooth(u, far * 9.0 + depth * 0.9)
            + 0.5 * self.noise.smooth(u * 2.7, far * 23.0 + depth * 2.0);
        let aside = (x as f32 - self.scene.sun.0 * WIDTH as f32) / (40.0 + depth * 0.7);
        let glitter = (ripple * 1.6 + 0.25).max(0.0) * self.scene.sun.3 / (1.0 + aside * aside);
        let mirrored = sky.base_above(self, depth * 1.1);
        let colour = main.mix(mirrored, 0.62 - near * 0.42).mix(patches, (ripple * 0.8).clamp(0.0, 0.5));
        colour
            .mix(self.scene.light, glitter.min(0.85))
            .lit(ripple * 22.0 + self.noise.grain(x, (depth * 1.7) as usize) * 9.0)
    }

    /// Houses with lit windows stand on the quay; below it their lights swim in the water.
    fn town(&self, x: usize, y: usize, near: f32, sky: &Sky) -> Colour {
        let (wall, lamp) = self.scene.soil;
        let quay = self.shore + 130.0;
        let depth = y as f32 - quay;
        if depth > 0.0 {
            let sway = self.noise.smooth(x as f32 * 0.2, depth * 0.8) * (6.0 + near * 40.0);
            let column = ((x as f32 + sway).max(0.0) as usize / 9) * 9;
            let glow = (self.noise.grain(column, 77) * 1.4).max(0.0) / (1.0 + depth * 0.006);
            return self.water(x, near, depth, sky).mix(lamp, glow.min(0.7));
        }
        let house = self.noise.grain(x / 48, 5) * 10.0;
        let pane = x % 8 < 4 && y % 12 < 6;
        if pane && self.noise.grain(x / 8 + 31, y / 12 + 17) > 0.1 {
            return wall.mix(lamp, 0.55 + self.noise.grain(x / 8, y / 12) * 0.45);
        }
        wall.lit(house + self.noise.grain(x, y >> 2) * 9.0)
    }
}

/// What the sky needs to know about the row being painted.
struct Sky {
    base: Colour,
    row: f32,
    /// Clouds lie on a plane overhead, so they crowd together towards the horizon.
    reach: f32,
}

impl Sky {
    fn new(canvas: &Canvas, row: f32) -> Sky {
        let reach = 260.0 / (canvas.shore - row + 90.0).max(40.0);
        Sky { base: gradient(canvas, row), row, reach }
    }

    /// The sky's colour `depth` rows above the horizon, for what the water mirrors.
    fn base_above(&self, canvas: &Canvas, depth: f32) -> Colour {
        gradient(canvas, canvas.shore - depth)
    }

    fn at(&self, canvas: &Canvas, x: usize) -> Colour {
        let scene = canvas.scene;
        let u = (x as f32 - 768.0) * (0.05 + self.reach * 0.16) + 2048.0 + canvas.origin.0 as f32;
        let v = self.reach * 210.0 + canvas.origin.1 as f32;
        let puff = canvas.noise.smooth(u, v) + 0.4 * canvas.noise.smooth(u * 4.1, v * 4.1);
        let density = ((puff + scene.cover - 0.35) * 1.7).clamp(0.0, 1.0);
        let sun = (scene.sun.0 * WIDTH as f32 - x as f32, scene.sun.1 * HEIGHT as f32 - self.row);
        let distance = sun.0 * sun.0 + sun.1 * sun.1;
        let glow = scene.sun.3 * 42_000.0 / (42_000.0 + distance);
        let disc = ((scene.sun.2 * scene.sun.2 - distance) * 0.02).clamp(0.0, 1.0);
        let clear = self.base.mix(scene.light, glow * 0.75);
        clear
            .mix(scene.light, disc)
            .mix(scene.cloud.mix(scene.light, glow * 0.5), density * density * 0.9)
            .lit((puff - 0.2) * 20.0 * density)
    }
}

fn gradient(canvas: &Canvas, row: f32) -> Colour {
    let t = (row / canvas.shore).clamp(0.0, 1.0);
    canvas.scene.zenith.mix(canvas.scene.horizon, t * t * (1.7 - 0.7 * t))
}

/// Ridge `i` of the scene: nearer ones stand lower, are darker and show more relief.
fn hills(scene: &Scene, i: usize, shore: f32, random: &mut Random) -> Ridge {
    let near = (i as f32 + 0.5) / scene.ridges as f32;
    let tall = HEIGHT as f32 * scene.height * (1.05 - 0.75 * near);
    let line = outline::crest(scene.rough, WIDTH, random);
    let top = line.iter().map(|h| shore + 12.0 - tall * h.max(0.04)).collect();
    let haze = scene.horizon.mix(scene.far, 0.25 + 0.75 * near);
    Ridge {
        crest: scene.far.mix(scene.near, near),
        foot: haze.mix(scene.near, near * 0.55),
        relief: 10.0 + 22.0 * near,
        snow: scene.snow * (1.1 - near),
        ..ridge(top)
    }
}

/// The ground's upper edge: level, but for a wood's trees and a town's roofs.
fn ground(scene: &Scene, shore: f32, random: &mut Random) -> Ridge {
    let mut top = vec![shore; WIDTH];
    match scene.ground {
        Ground::Wood => outline::trees(&mut top, random),
        Ground::Town => outline::roofs(&mut top, random),
        _ => {}
    }
    ridge(top)
}

fn ridge(top: Vec<f32>) -> Ridge {
    let full = top.iter().copied().fold(0.0, f32::max);
    let slope = (0..top.len())
        .map(|x| (top[(x + 6).min(top.len() - 1)] - top[x.saturating_sub(6)]) / 14.0)
        .map(|slope: f32| slope.clamp(-1.2, 1.2))
        .collect();
    let none = Colour::rgb(0);
    Ridge { top, full, slope, crest: none, foot: none, relief: 0.0, snow: 0.0 }
}
