//! Task-level cpu and memory: strings that hold units or a decimal with a unit of their own.
//!
//! `"1024"` is 1,024 CPU units or MiB; `"1 vCPU"` and `"4GB"` are converted (source: the API model's text on
//! RegisterTaskDefinition). Registered definitions always hold the plain number.

/// CPU units in `text`; 1,024 a vCPU. `None` if it is neither a positive whole number nor a number of vCPUs.
pub fn cpu_units(text: &str) -> Option<u32> {
    size(text, "vcpu")
}

/// MiB in `text`; 1,024 a GB. `None` if it is neither a positive whole number nor a number of GB.
pub fn memory_mib(text: &str) -> Option<u32> {
    size(text, "gb")
}

fn size(text: &str, unit: &str) -> Option<u32> {
    let text = text.trim().to_ascii_lowercase();
    let value = match text.strip_suffix(unit) {
        Some(number) => thousands(number.trim_end())?,
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
        None => return None,
    };
    u32::try_from(value).ok().filter(|value| *value > 0)
}

/// 1,024 times a decimal of at most six places, if that is whole.
fn thousands(number: &str) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || fraction.len() > 6 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let scale = 10_u64.pow(u32::try_from(fraction.len()).ok()?);
    let number = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<u64>().ok() };
    let scaled = number(whole)?.checked_mul(scale)?.checked_add(number(fraction)?)?.checked_mul(1024)?;
    (scaled % scale == 0).then_some(scaled / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_units_are_read() {
        for (text, units) in [
            ("1024", Some(1024)),
            (" 256 ", Some(256)),
            ("1 vCPU", Some(1024)),
            ("1vcpu", Some(1024)),
            ("0.5 vcpu", Some(512)),
            (".25 vCPU", Some(256)),
            ("16 VCPU", Some(16384)),
            ("1. vCPU", Some(1024)),
            ("", None),
            ("0", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("vCPU", None),
            (". vCPU", None),
            ("0 vCPU", None),
            ("0.0001 vCPU", None),
            ("1 GB", None),
            ("4294967296", None),
            ("99999999999999999999 vCPU", None),
        ] {
            assert_eq!(cpu_units(text), units, "{text:?}");
        }
    }

    #[test]
    fn gigabytes_are_1024_mib() {
        for (text, mib) in
            [("512", Some(512)), ("4GB", Some(4096)), ("4 GB", Some(4096)), ("0.5gb", Some(512)), ("4MB", None)]
        {
            assert_eq!(memory_mib(text), mib, "{text:?}");
        }
    }
}
