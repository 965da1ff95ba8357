//! All pictures on one sheet, as an SVG file with the colours of a light and of a dark page.

use std::fmt::Write as _;

use super::chart::{HEIGHT, WIDTH, panel};
use super::curve::ALL;
use super::kept::Kept;

const COLUMNS: usize = 3;
const MARGIN: f64 = 20.0;

/// The colours are those of the page that `oneloop page` makes.
const STYLE: &str = "\
:root{--ground:#fff;--text:#1c1f24;--quiet:#5a616c;--line:#e6e3dc;--axis:#8b919b;--oneloop:#1d5fc4;--tokio:#9a6a00;--smol:#1f7a4d}
@media (prefers-color-scheme:dark){:root{--ground:#1a1d23;--text:#e9e7e2;--quiet:#a3a9b4;--line:#2c3038;--axis:#6d7582;\
--oneloop:#82b1ff;--tokio:#e0b04a;--smol:#63c796}}
text{font:11px system-ui,-apple-system,'Segoe UI','Liberation Sans',sans-serif;fill:var(--text)}
.title{font-size:13px;font-weight:600}
.quiet,.tick{fill:var(--quiet)}
.end{text-anchor:end}
.middle{text-anchor:middle}
.grid{stroke:var(--line);fill:none}
.axis{stroke:var(--axis);fill:none}
.line{fill:none;stroke-width:1.5;stroke-linejoin:round}
.band{opacity:.16;stroke:none}
.oneloop{fill:var(--oneloop);stroke:var(--oneloop)}
.tokio{fill:var(--tokio);stroke:var(--tokio)}
.smol{fill:var(--smol);stroke:var(--smol)}
.oneloop .line{stroke-width:2.5}
.name{font-weight:600;stroke:none}
circle{stroke:none}
";

/// The whole sheet.
pub fn svg(kept: &Kept) -> String {
    let rows = ALL.len().div_ceil(COLUMNS);
    let (width, height) = (COLUMNS as f64 * WIDTH + 2.0 * MARGIN, rows as f64 * HEIGHT + 2.0 * MARGIN - 10.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n"
    );
    let _ =
        writeln!(svg, "<title>What one operation costs as the work grows</title>\n<style>\n{STYLE}</style>");
    let _ = writeln!(svg, r#"<rect width="{width}" height="{height}" rx="8" fill="var(--ground)"/>"#);
    for (place, curve) in ALL.iter().enumerate() {
        let (column, row) = (place % COLUMNS, place / COLUMNS);
        let (x, y) = (MARGIN + column as f64 * WIDTH, MARGIN + row as f64 * HEIGHT);
        let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">\n{}</g>", panel(curve, kept));
    }
    svg.push_str("</svg>\n");
    svg
}
