//! The contact sheet: one page with all thumbnails of a folder.
//!
//! It is a file of its own, with no script and nothing fetched from elsewhere, so it opens from the
//! disk, offline. Thumbnails are loaded as they come into view.

use std::fmt::Write;

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
"#;

const STYLE: &str = "<style>
:root { --paper: #f6f5f2; --ink: #22211f; --faint: #77736b; --edge: #dedad2; --mount: #fff }
@media (prefers-color-scheme: dark) {
  :root { --paper: #161719; --ink: #e8e6e1; --faint: #8f8c86; --edge: #2b2d31; --mount: #1e2023 }
}
* { box-sizing: border-box }
body { margin: 0; padding: 3rem clamp(1rem, 4vw, 4rem) 5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif }
header { margin-bottom: 2rem; padding-bottom: 1.25rem; border-bottom: 1px solid var(--edge) }
h1 { margin: 0; font-size: 1.6rem; font-weight: 600; letter-spacing: -0.01em }
header p { margin: 0.25rem 0 0; color: var(--faint) }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(152px, 1fr)); gap: 1.25rem 1rem }
figure { margin: 0; min-width: 0 }
img { display: block; width: 100%; height: auto; padding: 8px; background: var(--mount);
  border: 1px solid var(--edge); border-radius: 4px }
figcaption { margin-top: 0.4rem; overflow: hidden; color: var(--faint); font-size: 12px;
  text-align: center; text-overflow: ellipsis; white-space: nowrap }
</style>
";

/// The page for thumbnails of these names and size. `source` says where they come from.
pub fn page(names: &[String], size: (u32, u32), source: &str) -> String {
    let (width, height) = size;
    let mut html = String::with_capacity(2048 + names.len() * 160);
    html.push_str(HEAD);
    let _ = writeln!(html, "<title>{} thumbnails</title>", names.len());
    html.push_str(STYLE);
    html.push_str("</head>\n<body>\n<header>\n<h1>Contact sheet</h1>\n");
    let _ = writeln!(
        html,
        "<p>{} thumbnails of {width} × {height} pixels, from {}</p>\n</header>\n<main>",
        names.len(),
        escaped(source)
    );
    for name in names {
        let name = escaped(name);
        let _ = writeln!(
            html,
            "<figure><img src=\"{name}\" alt=\"\" width=\"{width}\" height=\"{height}\" loading=\"lazy\">\
             <figcaption title=\"{name}\">{name}</figcaption></figure>"
        );
    }
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// The text as HTML: in an attribute or between tags.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thumbnail_is_on_the_sheet_by_name() {
        let names = ["a.jpg".to_owned(), "b.png".to_owned()];
        let html = page(&names, (120, 90), "http://site.example/?a=1&b=<2>");
        assert_eq!(html.matches("<img src=").count(), 2);
        assert!(html.contains(r#"<img src="b.png" alt="" width="120" height="90" loading="lazy">"#));
        assert!(html.contains("from http://site.example/?a=1&amp;b=&lt;2&gt;</p>"));
    }
}
