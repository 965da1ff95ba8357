//! The solutions of the exercises: each ends well if what it asserts is true.

pub mod blocking;
pub mod by_hand;
pub mod callbacks;
pub mod cancel;
pub mod crawler;
pub mod http;
pub mod pool;
pub mod reactor;
pub mod turn;
pub mod waker;
pub mod wheel;
