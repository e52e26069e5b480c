//! What wants a machine for itself: limits of time, crowds, and servers that are killed while somebody counts. These run
//! one at a time; all others several at once.

mod cluster;
mod crowds;
mod database;
mod drains;
mod hostile;
mod live;
mod outages;
mod passwords;
mod pod;
mod process;
mod rates;
mod recoveries;
mod resumes;
mod screens;
mod slow_screens;
mod stale;
mod storm;
mod storms;
mod tls;
mod uploads_in_outages;
