//! Time: the wheel, which knows no clock, and the clock, which knows no wheel.

pub(crate) mod clock;
mod front;
mod slots;
pub(crate) mod wheel;
