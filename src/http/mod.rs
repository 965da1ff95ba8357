//! Chapter 34: HTTP/1.1: a client, a small server, and the protocol between them without any I/O.
//!
//! Read from the bottom: [`body`] and [`wire`] take bytes and return progress; `connections` and `exchange`
//! bring sockets and time limits into it; [`Client`] and [`Server`] are what a program sees.
//!
//! Before: `process_pool/pool.rs`. Next: `http/limits.rs`.

mod limits;
mod error;
mod buffer;
pub mod body;
mod head;
pub mod wire;
mod date;
mod redirect;
mod settings;
mod deadline;
mod stream;
mod dial;
mod connections;
mod response;
mod exchange;
mod request;
mod client;
mod reply;
mod conversation;
mod server;

pub use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};

pub use client::{Client, ClientBuilder};
pub use error::{Error, ErrorKind, Phase};
pub use limits::*;
pub use reply::{Reply, ReplyBody, Request};
pub use request::{RequestBuilder, SendRequest};
pub use response::{ReadBytes, ReadChunk, ReadText, Response};
pub use server::{Serve, Server};
pub use settings::{IDLE_TIME, MAX_CONNECTIONS_PER_HOST, MAX_IDLE_PER_HOST, MAX_REDIRECTS};
