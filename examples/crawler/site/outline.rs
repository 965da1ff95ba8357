//! The upper edges of what stands in a landscape: crests, tree tops, roofs. One height a column.

use super::noise::Random;

/// Heights from 0 to about 1: octaves of joined random points, the finer ones stronger and the joins
/// straighter the rougher the crest is to be.
pub fn crest(rough: f32, width: usize, random: &mut Random) -> Vec<f32> {
    let mut line = vec![0.45; width];
    let mut strength = 0.5;
    for octave in 0..8 {
        let step = 512 >> octave;
        let points: Vec<f32> = (0..width / step + 2).map(|_| random.range(-1.0, 1.0)).collect();
        for (x, height) in line.iter_mut().enumerate() {
            let t = (x % step) as f32 / step as f32;
            let bent = t * t * (3.0 - 2.0 * t);
            let t = bent + (t - bent) * rough;
            let (left, right) = (points[x / step], points[x / step + 1]);
            *height += (left + (right - left) * t) * strength;
        }
        strength *= 0.28 + 0.27 * rough;
    }
    line
}

/// Plants firs along a level edge: triangles with a sawn outline.
pub fn trees(top: &mut [f32], random: &mut Random) {
    let width = top.len() as i32;
    let ground = top.first().copied().unwrap_or_default();
    for _ in 0..width / 7 {
        let middle = random.below(top.len()) as i32;
        let tall = random.range(30.0, 105.0);
        let half = (tall * 0.24) as i32;
        let foot = random.range(0.0, 16.0);
        for x in (middle - half).max(0)..(middle + half).min(width) {
            let aside = (x - middle).abs() as f32 / half as f32;
            let saw = ((x - middle) & 3) as f32 * 3.0;
            let edge = &mut top[x as usize];
            *edge = edge.min(ground + foot + saw - tall * (1.0 - aside));
        }
    }
}

/// Builds houses along a level edge, a few towers among them.
pub fn roofs(top: &mut [f32], random: &mut Random) {
    let ground = top.first().copied().unwrap_or_default();
    let mut x = 0;
    while x < top.len() {
        let tower = random.below(7) == 0;
        let wide = if tower { 16 } else { 24 + random.below(5) * 8 };
        let tall = if tower { random.range(110.0, 190.0) } else { random.range(8.0, 84.0) };
        let end = (x + wide).min(top.len());
        top[x..end].fill(ground - tall);
        x = end;
    }
}
