//! The embedded site's listing pages: built like Flickr's photo stream, with its weight.

use std::fmt::Write;

use super::photos;

/// How many listing pages there are: `/page1` to `/page99`.
pub const COUNT: usize = 99;
/// A page is filled up to about this many bytes, as much as pages of real photo sites have.
const WEIGHT: usize = 60_000;
/// Newest pictures that every page shows again in its margin.
const HIGHLIGHTS: usize = 3;

/// The pictures that page `number` (from 1) introduces: spread evenly over the pages.
fn fresh(number: usize) -> std::ops::Range<usize> {
    (number - 1) * photos::COUNT / COUNT..number * photos::COUNT / COUNT
}

/// Listing page `number` of the site at `host`.
///
/// Fresh pictures are background images in `style` attributes, with no scheme; the highlights and the
/// last picture of the page before stand there again as ordinary images, as on a real site, where a
/// crawler meets most pictures more than once.
pub fn page(number: usize, host: &str) -> String {
    let mut html = String::with_capacity(WEIGHT + 4096);
    let title = format!("Photostream, page {number} of {COUNT}");
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n"
    );
    html.push_str(
        "<style>.photo { display: inline-block; background-size: cover }</style>\n</head>\n<body>\n",
    );
    html.push_str(
        "<img class=\"logo\" src=\"/static/logo.svg\" alt=\"Embedded photos\" width=\"90\" height=\"24\">\n",
    );
    let _ = writeln!(html, "<h1>{title}</h1>\n<main class=\"photo-list\">");
    for index in fresh(number) {
        card(&mut html, index, host);
    }
    html.push_str("</main>\n<aside>\n");
    let previous = fresh(number).start.checked_sub(1);
    for index in (0..HIGHLIGHTS).chain(previous) {
        let name = photos::name(index);
        let _ = writeln!(
            html,
            "<a href=\"/photo/{index}\"><img src=\"/{name}\" alt=\"{name}\" loading=\"lazy\"></a>"
        );
    }
    html.push_str("</aside>\n<nav>\n");
    for other in 1..=COUNT {
        let _ = writeln!(html, "<a href=\"/page{other}\" data-track=\"paginationClick\">{other}</a>");
    }
    html.push_str("</nav>\n<script>\nwindow.model = [\n");
    let mut entry = 0;
    while html.len() < WEIGHT {
        let _ = writeln!(
            html,
            "  {{\"id\": {}, \"views\": {}, \"licence\": {}, \"tags\": [\"landscape\", \"embedded\"], \"sizes\": {{\"l\": \"<img src=no-{entry}.jpg>\"}}}},",
            number * 1000 + entry,
            (number * 7919 + entry * 104_729) % 5000,
            entry % 9
        );
        entry += 1;
    }
    html.push_str("];\n</script>\n</body>\n</html>\n");
    html
}

fn card(html: &mut String, index: usize, host: &str) {
    let name = photos::name(index);
    let title = name.trim_end_matches(".jpg").replace('-', " ");
    let _ = write!(
        html,
        "<div class=\"view photo-list-photo-view awake\" data-view-signature=\"photo-list-photo-view__id_{index}\" \
         style=\"transform: translate({}px, {}px); width: 427px; height: 320px; background-image: url(//{host}/{name})\">\n\
         <div class=\"interaction-view\"><a class=\"overlay\" href=\"/photo/{index}\" title=\"{title}\" aria-label=\"{title}\"></a>\
         <span class=\"engagement\" data-rapid=\"favorite\">&#9734; {}</span></div>\n</div>\n",
        index % 3 * 430,
        index / 3 % 9 * 324,
        index * 13 % 97
    );
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_picture_is_fresh_on_exactly_one_page() {
        let all: Vec<usize> = (1..=COUNT).flat_map(fresh).collect();
        assert_eq!(all, (0..photos::COUNT).collect::<Vec<_>>());
    }

    #[test]
    fn a_page_weighs_about_60_kilobytes() {
        let weights: HashSet<usize> =
            (1..=COUNT).map(|number| page(number, "127.0.0.1:1").len() / 1000).collect();
        assert_eq!(weights, HashSet::from([60]));
    }
}
