//! Random numbers and noise for the painted landscapes: small, fast, the same on every machine.

/// Side of the noise tile in samples. A power of two, so that wrapping round is one `&`.
pub const SIDE: usize = 512;
const MASK: usize = SIDE - 1;

/// SplitMix64 (Steele, Lea and Flood, 2014): a whole generator in four lines.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 up to 1, 1 left out.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 24) as f32
    }

    /// A number from `low` up to `high`.
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// Two tiles of [`SIDE`] × [`SIDE`] samples that repeat without a seam.
pub struct Noise {
    /// Clouds: eight octaves of smoothed lattice noise, about -1 to 1.
    cloud: Vec<f32>,
    /// Film grain: a camera's noise, a little blurred as a camera's is, about -1 to 1.
    grain: Vec<f32>,
}

impl Noise {
    pub fn new(seed: u64) -> Noise {
        let mut random = Random::new(seed);
        let mut cloud = vec![0.0; SIDE * SIDE];
        for octave in 2..9 {
            let cells = 1 << octave;
            let strength = 1.75 / (cells as f32).powf(0.85);
            add_octave(&mut cloud, cells, strength, &mut random);
        }
        let specks: Vec<f32> = (0..SIDE * SIDE).map(|_| random.range(-1.7, 1.7)).collect();
        Noise { cloud, grain: blurred(&specks) }
    }

    /// The cloud sample nearest to (`x`, `y`), wrapping round.
    #[inline]
    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.cloud[(y & MASK) * SIDE + (x & MASK)]
    }

    /// Cloud noise between samples, bilinear. Neither coordinate may be negative.
    #[inline]
    pub fn smooth(&self, x: f32, y: f32) -> f32 {
        let (left, above) = (x as usize, y as usize);
        let (fx, fy) = (x - left as f32, y - above as f32);
        let upper = self.at(left, above) * (1.0 - fx) + self.at(left + 1, above) * fx;
        let lower = self.at(left, above + 1) * (1.0 - fx) + self.at(left + 1, above + 1) * fx;
        upper + (lower - upper) * fy
    }

    /// The grain sample at (`x`, `y`), wrapping round.
    #[inline]
    pub fn grain(&self, x: usize, y: usize) -> f32 {
        self.grain[(y & MASK) * SIDE + (x & MASK)]
    }
}

/// Each sample takes half of its own and a quarter of each neighbour's value, across and down.
fn blurred(tile: &[f32]) -> Vec<f32> {
    let pass = |tile: &[f32], left: usize, right: usize| -> Vec<f32> {
        let at = |i: usize| tile[i & (SIDE * SIDE - 1)];
        (0..SIDE * SIDE).map(|i| (at(i) * 2.0 + at(i + left) + at(i + right)) / 4.0).collect()
    };
    let across = pass(tile, 1, SIDE * SIDE - 1);
    pass(&across, SIDE, SIDE * SIDE - SIDE)
}

/// Adds a lattice of `cells` × `cells` random values, smoothly joined, to the tile.
fn add_octave(tile: &mut [f32], cells: usize, strength: f32, random: &mut Random) {
    let lattice: Vec<f32> = (0..cells * cells).map(|_| random.range(-1.0, 1.0)).collect();
    let step = SIDE / cells;
    let ease: Vec<f32> = (0..step).map(|i| i as f32 / step as f32).map(|t| t * t * (3.0 - 2.0 * t)).collect();
    for (y, row) in tile.chunks_exact_mut(SIDE).enumerate() {
        let upper = y / step * cells;
        let lower = (y / step + 1) % cells * cells;
        let down = ease[y % step];
        for (column, run) in row.chunks_exact_mut(step).enumerate() {
            let next = (column + 1) % cells;
            let left = lattice[upper + column] * (1.0 - down) + lattice[lower + column] * down;
            let right = lattice[upper + next] * (1.0 - down) + lattice[lower + next] * down;
            for (sample, t) in run.iter_mut().zip(&ease) {
                *sample += (left + (right - left) * t) * strength;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_noise() {
        assert_eq!(Noise::new(7).cloud, Noise::new(7).cloud);
        assert_ne!(Noise::new(7).cloud, Noise::new(8).cloud);
    }

    #[test]
    fn the_tile_repeats_without_a_seam() {
        let noise = Noise::new(1);
        let usual = (1..SIDE).map(|x| (noise.at(x, 9) - noise.at(x - 1, 9)).abs()).fold(0.0, f32::max);
        let seam = (noise.at(SIDE, 9) - noise.at(SIDE - 1, 9)).abs();
        assert!(seam <= usual, "a step of {seam} at the seam, {usual} at most elsewhere");
    }
}
