//! The size of a whole definition.
//!
//! Measured on the request as JSON without blanks, counted while it is written, never held in memory.

use std::io;

use longshore_ecs_wire::operations::RegisterTaskDefinitionRequest;

use crate::Refusal;

/// Bytes of JSON a definition may have.
const MOST: usize = 65_536;

/// Counts what is written to it.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn check(request: &RegisterTaskDefinitionRequest) -> Result<(), Refusal> {
    let mut length = Length(0);
    let written = serde_json::to_writer(&mut length, request);
    if written.is_err() || length.0 > MOST {
        let Length(length) = length;
        return Err(Refusal::client(format!("Actual length: '{length}'. Max allowed length is '{MOST}' bytes.")));
    }
    Ok(())
}
