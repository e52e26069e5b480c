//! Comma lists.

use super::problem::Expected;

/// Reads every item of a comma list, trimmed; an empty item is handed on, and so is a problem like any other.
pub(super) fn read<T>(text: &str, item: impl Fn(&str) -> Result<T, Expected>) -> Result<Vec<T>, Expected> {
    text.split(',').map(str::trim).map(item).collect()
}
