//! How many file descriptors this process may have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For all else that a process has open: the standard streams, the reactor's own, listeners.
pub const RESERVE: u64 = 100;

/// Raises the limit to the hard one, and returns it.
pub fn raise() -> Result<u64, String> {
    let hard = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: hard, maximum: hard })
        .map_err(|error| format!("the limit of file descriptors cannot be raised to {hard:?}: {error}"))?;
    Ok(hard.unwrap_or(u64::MAX))
}

/// Raises the limit, and checks that it leaves so many.
pub fn enough_for(count: u64) -> Result<(), String> {
    match raise()? {
        limit if limit - RESERVE >= count => Ok(()),
        limit => Err(format!("{count} descriptors are needed, and the hard limit is {limit}: ulimit -Hn")),
    }
}
