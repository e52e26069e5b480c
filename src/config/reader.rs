//! Looks variables up, one after another, and notes every problem instead of stopping at the first.

use super::environment::Environment;
use super::problem::{Expected, Problem, Problems};
use super::variables::{self, Fallback, Variable};

/// Collects problems while values are read.
///
/// Its readers answer `None` when they noted a problem, so a caller reads everything first and only then asks
/// for the values.
pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    environment: Environment,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// Finds out the environment, on which the other variables' defaults depend.
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        // Until it is known nothing is required: an unknown environment is one problem, not six
        let mut reader = Self { lookup, environment: Environment::Development, problems: Vec::new() };
        let named = [&variables::APP_ENV, &variables::NODE_ENV].into_iter().find(|name| reader.is_set(name));
        if let Some(environment) = reader.value(named.unwrap_or(&variables::APP_ENV), str::parse) {
            reader.environment = environment;
        }
        reader
    }

    pub(super) fn environment(&self) -> Environment {
        self.environment
    }

    /// A variable that has a default or is required.
    pub(super) fn value<T>(
        &mut self,
        variable: &Variable,
        parse: impl FnOnce(&str) -> Result<T, Expected>,
    ) -> Option<T> {
        self.optional(variable, parse).flatten()
    }

    /// A variable that may be left out: `Some(None)` then.
    pub(super) fn optional<T>(
        &mut self,
        variable: &Variable,
        parse: impl FnOnce(&str) -> Result<T, Expected>,
    ) -> Option<Option<T>> {
        let parsed = match (self.text(variable), variable.fallback(self.environment)) {
            (Some(text), _) if text.contains(char::REPLACEMENT_CHARACTER) => Err(Expected::new("UTF-8")),
            (Some(text), _) => parse(&text),
            (None, Fallback::Value(text)) => parse(text),
            (None, Fallback::Nothing) => return Some(None),
            (None, Fallback::Required) => {
                self.problems
                    .push(Problem::Missing { variable: variable.name, environment: self.environment });
                return None;
            }
        };
        parsed.map_err(|expected| self.unfit(variable, expected)).ok().map(Some)
    }

    /// True when a variable has a value of its own.
    pub(super) fn is_set(&self, variable: &Variable) -> bool {
        self.text(variable).is_some()
    }

    /// Notes that a variable is not what it must be.
    pub(super) fn unfit(&mut self, variable: &Variable, expected: Expected) {
        self.problems.push(Problem::Unfit { variable: variable.name, expected });
    }

    /// What was read, if all of it is usable.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<T, Problems> {
        read.filter(|_| self.problems.is_empty()).ok_or(Problems(self.problems))
    }

    /// Blank is unset: that is how compose and shells pass on what nobody gave.
    fn text(&self, variable: &Variable) -> Option<String> {
        (self.lookup)(variable.name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }
}
