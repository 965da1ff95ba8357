//! The embedded photo site: 99 listing pages and 481 photographs on 127.0.0.1.
//!
//! It runs on the small server that the examples share, on a thread of its own: `examples/embedded/`.

pub mod landscape;
pub mod noise;
pub mod outline;
pub mod pages;
pub mod photos;
pub mod scenes;

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use oneloop::http::{Reply, Request, header};

use crate::embedded::Embedded;
use photos::Photos;

/// Paints the pictures and starts to serve; the site answers when this returns.
///
/// # Errors
/// What the operating system says about the thread, the loop or the port.
pub fn start(delay: Duration) -> io::Result<Embedded> {
    let content = Content::new(Photos::new());
    Embedded::start(delay, move |request| content.reply(request))
}

/// What the site has to offer.
struct Content {
    photos: Photos,
    /// The number of each picture, by the path it is served at.
    numbers: HashMap<String, usize>,
}

impl Content {
    fn new(photos: Photos) -> Content {
        let numbers = (0..photos::COUNT).map(|index| (format!("/{}", photos::name(index)), index)).collect();
        Content { photos, numbers }
    }

    fn reply(&self, request: &Request) -> Reply {
        let path = request.path();
        if let Some(jpeg) = self.numbers.get(path).and_then(|index| self.photos.get(*index)) {
            return Reply::typed("image/jpeg", jpeg);
        }
        // The links have the name in them under which the client knows the site.
        let host =
            request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let number = path.strip_prefix("/page").and_then(|number| number.parse().ok());
        match number {
            Some(number @ 1..=pages::COUNT) => Reply::html(pages::page(number, host)),
            _ if path == "/" => Reply::html(pages::page(1, host)),
            _ => Reply::not_found(),
        }
    }
}
