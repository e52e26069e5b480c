//! What is wrong with the environment, told in names.
//!
//! *Invariant:* nothing here ever holds a value of a variable: a value may be a secret in the wrong place.

use std::borrow::Cow;
use std::fmt;

use super::environment::Environment;

/// What a variable must look like, as a noun phrase: "a port number".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected(Cow<'static, str>);

impl Expected {
    /// Says what a value must be. Never put the value itself in it.
    pub fn new(what: impl Into<Cow<'static, str>>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing that keeps the service from starting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A variable without which this environment cannot run.
    #[error("{variable}: required in {environment}")]
    Missing {
        /// Its name.
        variable: &'static str,
        /// Where it is required.
        environment: Environment,
    },
    /// A value that is not what it must be, alone or beside another variable's.
    #[error("{variable}: expected {expected}")]
    Unfit {
        /// Its name.
        variable: &'static str,
        /// What it must be.
        expected: Expected,
    },
}

impl Problem {
    /// The variable's name.
    pub fn variable(&self) -> &'static str {
        match self {
            Self::Missing { variable, .. } | Self::Unfit { variable, .. } => variable,
        }
    }
}

/// Everything that keeps the service from starting; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// Each of them, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is not usable")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}

/// Something that an operator should know and that stops nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The variable's name.
    pub variable: &'static str,
    /// What is doubtful about it.
    pub meaning: &'static str,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.meaning)
    }
}
