//! Photos made in code, stripped, developed, and broken in every way.

mod developing;
mod hostile;
mod made;
mod stripping;
