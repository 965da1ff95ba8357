//! The twelve scenes the embedded site shows, as a table: what each looks like, in numbers.

use super::landscape::Colour;

/// What covers the lower part of a scene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ground {
    Water,
    Meadow,
    Sand,
    Snow,
    Town,
    Wood,
}

/// Everything that makes one scene differ from another. Heights are fractions of the canvas.
pub struct Scene {
    /// Part of the pictures' file names.
    pub name: &'static str,
    pub zenith: Colour,
    pub horizon: Colour,
    pub cloud: Colour,
    /// How much of the sky is cloud, 0 to 1.
    pub cover: f32,
    /// The sun or moon: column, row (fractions), radius of the disc in pixels, strength of its glow.
    pub sun: (f32, f32, f32, f32),
    pub light: Colour,
    /// Number of ridges, the far one first.
    pub ridges: usize,
    pub far: Colour,
    pub near: Colour,
    /// Height of the tallest ridge.
    pub height: f32,
    /// 0 is rolling, 1 is jagged.
    pub rough: f32,
    /// Rows of snow below the crests; 0 for none.
    pub snow: f32,
    pub ground: Ground,
    /// Where the ground starts.
    pub shore: f32,
    /// Colours of the ground: mostly the first, with patches of the second.
    pub soil: (Colour, Colour),
}

const fn rgb(hex: u32) -> Colour {
    Colour::rgb(hex)
}

#[rustfmt::skip]
pub const SCENES: [Scene; 12] = [
    Scene { name: "alpine-lake", zenith: rgb(0x3d77b8), horizon: rgb(0xd6e4ee), cloud: rgb(0xf6f7f8), cover: 0.45,
        sun: (0.7, 0.06, 0.0, 0.3), light: rgb(0xfff3d8), ridges: 4, far: rgb(0x8fa5bd), near: rgb(0x3a4d42),
        height: 0.42, rough: 0.75, snow: 60.0, ground: Ground::Water, shore: 0.56, soil: (rgb(0x2c5a6e), rgb(0x7fa5b4)) },
    Scene { name: "autumn-wood", zenith: rgb(0x7fa3c4), horizon: rgb(0xeee3cf), cloud: rgb(0xfaf6ee), cover: 0.35,
        sun: (0.25, 0.12, 0.0, 0.5), light: rgb(0xffe2a8), ridges: 3, far: rgb(0xa08a78), near: rgb(0x8a5a2c),
        height: 0.26, rough: 0.35, snow: 0.0, ground: Ground::Wood, shore: 0.52, soil: (rgb(0x9a4f1c), rgb(0xd89a34)) },
    Scene { name: "dawn-mist", zenith: rgb(0x5d6f9c), horizon: rgb(0xf6c9a4), cloud: rgb(0xf0b9a8), cover: 0.4,
        sun: (0.4, 0.32, 26.0, 0.9), light: rgb(0xffe9c4), ridges: 6, far: rgb(0xc8a9b4), near: rgb(0x2c3348),
        height: 0.36, rough: 0.5, snow: 0.0, ground: Ground::Wood, shore: 0.74, soil: (rgb(0x161d2a), rgb(0x2c3648)) },
    Scene { name: "desert-dunes", zenith: rgb(0x2f6fb0), horizon: rgb(0xf1dcb4), cloud: rgb(0xf8ecd8), cover: 0.38,
        sun: (0.85, 0.12, 30.0, 0.7), light: rgb(0xfff4d4), ridges: 5, far: rgb(0xd9b284), near: rgb(0xb8743c),
        height: 0.24, rough: 0.08, snow: 0.0, ground: Ground::Sand, shore: 0.62, soil: (rgb(0xcf9150), rgb(0xe9bd7c)) },
    Scene { name: "evening-sea", zenith: rgb(0x27305c), horizon: rgb(0xf58a4c), cloud: rgb(0xc75a5c), cover: 0.5,
        sun: (0.55, 0.44, 38.0, 1.0), light: rgb(0xffdf94), ridges: 1, far: rgb(0x5a3e5c), near: rgb(0x3c2c48),
        height: 0.08, rough: 0.4, snow: 0.0, ground: Ground::Water, shore: 0.48, soil: (rgb(0x2a2a4c), rgb(0xd07850)) },
    Scene { name: "flower-field", zenith: rgb(0x3f86cf), horizon: rgb(0xdcebf4), cloud: rgb(0xffffff), cover: 0.5,
        sun: (0.2, 0.06, 0.0, 0.2), light: rgb(0xfff8e4), ridges: 3, far: rgb(0x8fae9c), near: rgb(0x5a8a48),
        height: 0.16, rough: 0.2, snow: 0.0, ground: Ground::Meadow, shore: 0.46, soil: (rgb(0x5c8c34), rgb(0xd4485c)) },
    Scene { name: "green-hills", zenith: rgb(0x5a94cc), horizon: rgb(0xe4eef0), cloud: rgb(0xfbfbfa), cover: 0.55,
        sun: (0.8, 0.07, 0.0, 0.3), light: rgb(0xfff6dc), ridges: 5, far: rgb(0x9db8a8), near: rgb(0x4c7a34),
        height: 0.28, rough: 0.15, snow: 0.0, ground: Ground::Meadow, shore: 0.60, soil: (rgb(0x6f9a3c), rgb(0xe8d45c)) },
    Scene { name: "harbour-night", zenith: rgb(0x0c1430), horizon: rgb(0x4a4a78), cloud: rgb(0x38406c), cover: 0.38,
        sun: (0.3, 0.06, 22.0, 0.5), light: rgb(0xe8ecff), ridges: 2, far: rgb(0x2c3458), near: rgb(0x1a2040),
        height: 0.2, rough: 0.3, snow: 0.0, ground: Ground::Town, shore: 0.46, soil: (rgb(0x141a30), rgb(0xffc868)) },
    Scene { name: "moonlit-fjord", zenith: rgb(0x101c3c), horizon: rgb(0x5c7ca4), cloud: rgb(0x6c84a8), cover: 0.4,
        sun: (0.62, 0.14, 34.0, 0.8), light: rgb(0xeef4ff), ridges: 4, far: rgb(0x4c6488), near: rgb(0x101a2c),
        height: 0.46, rough: 0.7, snow: 36.0, ground: Ground::Water, shore: 0.58, soil: (rgb(0x14223c), rgb(0x8ca8cc)) },
    Scene { name: "red-canyon", zenith: rgb(0x3c7cb8), horizon: rgb(0xf0d8c0), cloud: rgb(0xfaf0e8), cover: 0.35,
        sun: (0.15, 0.10, 0.0, 0.5), light: rgb(0xfff0d0), ridges: 5, far: rgb(0xc89480), near: rgb(0x8c3c20),
        height: 0.4, rough: 0.9, snow: 0.0, ground: Ground::Sand, shore: 0.68, soil: (rgb(0xa8542c), rgb(0xd88c58)) },
    Scene { name: "snow-peaks", zenith: rgb(0x2c64a8), horizon: rgb(0xcfe0f0), cloud: rgb(0xf4f8fc), cover: 0.38,
        sun: (0.35, 0.08, 24.0, 0.6), light: rgb(0xfffcf0), ridges: 4, far: rgb(0x9cb4d0), near: rgb(0x50647c),
        height: 0.5, rough: 0.85, snow: 150.0, ground: Ground::Snow, shore: 0.64, soil: (rgb(0xe4ecf6), rgb(0xa8bcd8)) },
    Scene { name: "storm-coast", zenith: rgb(0x3c4854), horizon: rgb(0xa8b4b8), cloud: rgb(0x6c7880), cover: 0.8,
        sun: (0.5, 0.37, 0.0, 0.4), light: rgb(0xf4f0e0), ridges: 2, far: rgb(0x6c7c80), near: rgb(0x38443c),
        height: 0.18, rough: 0.6, snow: 0.0, ground: Ground::Water, shore: 0.50, soil: (rgb(0x34484c), rgb(0xc8d4d4)) },
];
