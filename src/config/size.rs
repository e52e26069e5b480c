//! Amounts of bytes as people write them: `25MB`, `3 GB`; units are powers of 1,000 (MB = 10⁶ bytes).

use super::problem::Expected;

const UNITS: [(&str, u64); 5] =
    [("", 1), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000)];

/// Reads a whole number of bytes, KB, MB, GB or TB, at least one byte.
pub(super) fn bytes(text: &str) -> Result<u64, Expected> {
    read(text).ok_or(Expected::new("a size such as 500MB or 3GB"))
}

fn read(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_powers_of_a_thousand() {
        for (text, expected) in [
            ("1", 1),
            ("512", 512),
            ("1KB", 1_000),
            ("25 MB", 25_000_000),
            ("3GB", 3_000_000_000),
            ("2TB", 2_000_000_000_000),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "GB", "0", "0GB", "-1", "1.5GB", "1GiB", "1gb", "1 G B", "99999999999TB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
