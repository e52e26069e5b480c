//! Where the process runs, and so what it may make up by itself.

use std::fmt;
use std::str::FromStr;

use super::problem::Expected;

/// Where the process runs: `APP_ENV`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// On a developer's machine.
    Development,
    /// Under the tests.
    Test,
    /// A rehearsal of production.
    Staging,
    /// With guests.
    Production,
}

impl Environment {
    /// True in development and test, where what is not given is made: databases, directories, secrets.
    pub fn is_local(self) -> bool {
        matches!(self, Self::Development | Self::Test)
    }

    /// As it is written in `APP_ENV`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Test => "test",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        [Self::Development, Self::Test, Self::Staging, Self::Production]
            .into_iter()
            .find(|environment| environment.as_str() == text)
            .ok_or(Expected::new("development, test, staging or production"))
    }
}
