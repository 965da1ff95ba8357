use scraper::{Html, Selector};

use super::*;

fn found(html: &str) -> Vec<String> {
    let page = Url::parse("http://site.example/photos/page7").unwrap();
    pictures(html.as_bytes(), &page).iter().map(Url::to_string).collect()
}

#[test]
fn a_style_with_an_address_without_a_scheme_is_found_as_flickr_writes_it() {
    let html = r#"<div class="view" style="transform: translate(0px); background-image: url(//live.example/65535/1_b.jpg)">"#;
    assert_eq!(found(html), ["http://live.example/65535/1_b.jpg"]);
}

#[test]
fn quoted_addresses_and_several_in_one_style_are_found() {
    let html = r#"<p style='background: URL( "a.png" ), url(&quot;b.gif&quot;), url(&#39;c.webp&#39;); color: red'>"#;
    let base = "http://site.example/photos/";
    assert_eq!(found(html), [format!("{base}a.png"), format!("{base}b.gif"), format!("{base}c.webp")]);
}

#[test]
fn images_are_found_with_any_quotes_case_and_order() {
    let html = "<IMG alt='x > y' SRC=/a.jpg><img\nsrc = \"../b.jpg\" /><img src='c.jpg'/><img/src=d.jpg>";
    let host = "http://site.example";
    let expected = ["/a.jpg", "/b.jpg", "/photos/c.jpg", "/photos/d.jpg"].map(|path| format!("{host}{path}"));
    assert_eq!(found(html), expected);
}

#[test]
fn character_references_in_an_address_are_decoded() {
    let html = "<img src='a.jpg?x=1&amp;y=2&#x26;z=3&unknown;&'>";
    assert_eq!(found(html), ["http://site.example/photos/a.jpg?x=1&y=2&z=3&unknown;&"]);
}

#[test]
fn an_address_met_twice_is_given_once() {
    assert_eq!(found("<img src=a.jpg><img src=./a.jpg#top><p style='--x: url(a.jpg)'>").len(), 1);
}

#[test]
fn what_scripts_comments_and_texts_say_is_not_looked_at() {
    let html = "<!-- <img src=a.jpg> --><script>'<img src=b.jpg>'</script><title><img src=c.jpg></title>\
                <textarea><img src=d.jpg></textarea></img src=e.jpg><!-->a<img src=f.jpg>";
    assert_eq!(found(html), ["http://site.example/photos/f.jpg"]);
}

#[test]
fn what_cannot_be_a_picture_to_fetch_is_left_out() {
    let html = "<img src='data:image/png;base64,AAAA'><img src='logo.svg'><img src='ftp://h/a.jpg'><img src=''>\
                <img src='file:///etc/a.jpg'><img src='javascript:a.jpg'><img src='/'><img src='http://'><img src='show'>";
    assert_eq!(found(html), ["http://site.example/photos/show"]);
}

#[test]
fn a_base_element_changes_what_addresses_are_relative_to() {
    assert_eq!(found("<base href='//cdn.example/x/'><img src=a.jpg>"), ["http://cdn.example/x/a.jpg"]);
}

#[test]
fn more_pictures_than_the_limit_and_longer_addresses_are_ignored() {
    let many: String = (0..MAX_PER_PAGE + 5).map(|i| format!("<img src={i}.jpg>")).collect();
    assert_eq!(found(&many).len(), MAX_PER_PAGE);
    assert!(found(&format!("<img src={}.jpg>", "a".repeat(MAX_ADDRESS))).is_empty());
}

#[test]
fn a_page_cut_anywhere_is_read_as_far_as_it_goes() {
    let html = "<!DOCTYPE html><!-- c --><p style=\"background:url('a.jpg')\"><img src='b.jpg' alt=\"&amp;\"><script>x</script>";
    for end in 0..html.len() {
        assert!(found(&html[..end]).len() <= 2);
    }
    assert_eq!(found(html).len(), 2);
}

#[test]
fn a_listing_page_gives_what_a_full_html_parser_gives() {
    let page = Url::parse("http://127.0.0.1:8080/page3").unwrap();
    for number in [1, 3, 50, 99] {
        let html = crate::site::pages::page(number, "127.0.0.1:8080");
        let tree = Html::parse_document(&html);
        let styles = Selector::parse("[style*='url(']").unwrap();
        let images = Selector::parse("img[src]").unwrap();
        let mut expected: Vec<String> = Vec::new();
        for element in tree.select(&styles) {
            let style = element.attr("style").unwrap();
            let address = style.split_once("url(").unwrap().1.split_once(')').unwrap().0;
            expected.push(page.join(address).unwrap().into());
        }
        expected.extend(
            tree.select(&images).map(|image| page.join(image.attr("src").unwrap()).unwrap().to_string()),
        );
        expected.retain(|address| address.ends_with(".jpg"));
        expected.sort();
        expected.dedup();
        let mut ours: Vec<String> = pictures(html.as_bytes(), &page).into_iter().map(Into::into).collect();
        ours.sort();
        assert_eq!(ours, expected);
        assert!(!ours.is_empty());
    }
}
