//! The figures as a Markdown table: a line for each peer's curve, a column for each size.

use super::chart::power_of_ten;
use super::curve::{ALL, Curve, DECADES, PEERS};
use super::kept::{Kept, Point};
use crate::machine;
use crate::table::aligned;

/// The columns; a size between two of them stands in the nearest.
const COLUMNS: std::ops::RangeInclusive<u32> = 1..=6;

/// Where it was measured, and the table.
pub fn markdown(kept: &Kept) -> String {
    let sizes = COLUMNS.map(|exponent| power_of_ten(exponent as i32));
    let mut lines = vec![["row", "unit", ""].map(String::from).into_iter().chain(sizes).collect()];
    for curve in ALL {
        for (place, peer) in PEERS.into_iter().enumerate() {
            lines.push(line(kept, curve, place == 0, peer));
        }
    }
    let most = DECADES[DECADES.len() - 1];
    debug_assert_eq!(most, 10_u64.pow(*COLUMNS.end()));
    let places = ALL.iter().map(|curve| (curve.name, kept.place(curve.name)));
    let places = places.filter(|(_, place)| !place.is_empty());
    format!("{}; medians, and least and most.\n\n{}", machine::told(places), aligned(&lines))
}

fn line(kept: &Kept, curve: &Curve, first: bool, peer: &str) -> Vec<String> {
    let head = if first { [curve.name, curve.unit.label()] } else { ["", ""] };
    let points = kept.points(curve.name, peer);
    let cell = |exponent: u32| {
        let at = |point: &&&Point| (point.size as f64).log10().round() as u32 == exponent;
        points.iter().find(at).map_or(String::new(), |point| cell(point))
    };
    head.into_iter().chain([peer]).map(String::from).chain(COLUMNS.map(cell)).collect()
}

fn cell(point: &Point) -> String {
    let [median, least, most] = [point.median, point.least, point.most].map(figure);
    format!("{median} ({least}–{most})")
}

/// Two or three digits that count, and a thousand's `k`.
fn figure(value: f64) -> String {
    match value {
        value if value < 9.95 => format!("{value:.1}"),
        value if value < 9_999.5 => format!("{value:.0}"),
        value if value < 99_950.0 => format!("{:.1}k", value / 1e3),
        value => format!("{:.0}k", value / 1e3),
    }
}
