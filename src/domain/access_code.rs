//! The code by which people join a party.

use std::fmt;

use rand::{CryptoRng, RngExt as _};
use serde_json::Value;

use super::{fields::Wrong, text::Line};

const LENGTH: usize = 8;
/// Without look-alikes: 0 and O, 1, I and L.
const ALPHABET: &[u8; 31] = b"ABCDEFGHJKMNPQRSTUVWXYZ23456789";

/// A code as it is looked for: without blanks around, in capitals. It may be nobody's.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessCode(String);

impl AccessCode {
    /// Draws a new one: 8 characters, about 40 bits.
    pub fn draw(chance: &mut impl CryptoRng) -> Self {
        let characters = (0..LENGTH).filter_map(|_| ALPHABET.get(chance.random_range(0..ALPHABET.len())));
        Self(characters.map(|byte| char::from(*byte)).collect())
    }

    /// Reads one. What no code can be is as unknown as what none is.
    ///
    /// # Errors
    ///
    /// No text, or none that anybody would take for a code.
    pub fn read(value: &Value) -> Result<Self, Wrong> {
        let line = Line::<1, 64>::read(value)?;
        Ok(Self(line.as_str().to_uppercase()))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who knows it may join.
impl fmt::Debug for AccessCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessCode(***)")
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_code_has_8_characters_that_nobody_confuses() {
        let mut chance = StdRng::seed_from_u64(1);
        let codes: Vec<_> = (0..1000).map(|_| AccessCode::draw(&mut chance)).collect();
        for code in &codes {
            assert_eq!(code.as_str().len(), 8);
            assert!(!code.as_str().contains(['0', 'O', '1', 'I', 'L']), "{}", code.as_str());
            assert_eq!(AccessCode::read(&json!(code.as_str())).unwrap(), *code);
        }
        let used: std::collections::BTreeSet<_> =
            codes.iter().flat_map(|code| code.as_str().chars()).collect();
        assert_eq!(used.len(), ALPHABET.len());
    }

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        assert_eq!(AccessCode::read(&json!(" abcd2345\n")).unwrap().as_str(), "ABCD2345");
        for wrong in [json!(""), json!(12), json!("x".repeat(65)), json!(null)] {
            assert!(AccessCode::read(&wrong).is_err(), "{wrong}");
        }
    }
}
