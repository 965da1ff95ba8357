//! For scripts that wait until the client closes.

use std::io::Read;

use crate::http_support::Peer;

impl Peer {
    /// Waits until the client closes; false if it does not.
    pub fn wait_for_close(&mut self) -> bool {
        let mut sink = [0; 4096];
        loop {
            match self.stream.read(&mut sink) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
            }
        }
    }
}
