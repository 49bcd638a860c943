//! The pairs of task cpu and memory that Fargate has, and the refusal of any other.
//!
//! Source: the table in the API model's text on RegisterTaskDefinition.memory.

use crate::Refusal;

/// CPU units, then least, most and step of the memory in MiB.
const SIZES: &[(u32, u32, u32, u32)] = &[
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
];

/// 256 CPU units have no 1,536 MiB, which the step would allow.
const GAP: (u32, u32) = (256, 1536);

/// Whether Fargate has this pair of CPU units and MiB.
pub fn is_valid(cpu: u32, memory: u32) -> bool {
    (cpu, memory) != GAP
        && SIZES.iter().any(|&(units, least, most, step)| {
            units == cpu && (least..=most).contains(&memory) && (memory - least).is_multiple_of(step)
        })
}

/// Refuses a pair that Fargate does not have.
///
/// # Errors
/// ClientException `No Fargate configuration exists for given values: …`.
pub fn check(cpu: u32, memory: u32) -> Result<(), Refusal> {
    if is_valid(cpu, memory) {
        return Ok(());
    }
    Err(Refusal::client(format!(
        "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. \
         See the Amazon ECS documentation for the valid values."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorClass;

    /// Every legal pair, written out by hand from the table's text.
    fn legal() -> Vec<(u32, Vec<u32>)> {
        vec![
            (256, vec![512, 1024, 2048]),
            (512, vec![1024, 2048, 3072, 4096]),
            (1024, vec![2048, 3072, 4096, 5120, 6144, 7168, 8192]),
            (2048, (4..=16).map(|gb| gb * 1024).collect()),
            (4096, (8..=30).map(|gb| gb * 1024).collect()),
            (8192, [16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60].map(|gb| gb * 1024).to_vec()),
            (16384, [32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120].map(|gb| gb * 1024).to_vec()),
        ]
    }

    #[test]
    fn exactly_the_table_is_valid() {
        let legal = legal();
        for cpu in [0, 128, 256, 512, 1000, 1024, 2048, 4096, 8192, 16384, 32768] {
            let memories = legal.iter().find(|(units, _)| *units == cpu).map_or(&[][..], |(_, list)| list);
            for memory in (0..=131_072).step_by(256) {
                assert_eq!(is_valid(cpu, memory), memories.contains(&memory), "{cpu} CPU, {memory} memory");
            }
        }
    }

    #[test]
    fn the_refusal_names_the_pair() {
        let refusal = check(1024, 1024).unwrap_err();
        assert_eq!(refusal.class, ErrorClass::Client);
        assert_eq!(
            refusal.message,
            "No Fargate configuration exists for given values: 1024 CPU, 1024 memory. \
             See the Amazon ECS documentation for the valid values."
        );
    }
}
