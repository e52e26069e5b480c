//! What a party, a guest and a photo mean.

pub mod app;
pub mod blob;
pub mod cache;
pub mod cli;
pub mod config;
pub mod db;
pub mod demo;
pub mod domain;
pub mod http;
pub mod imaging;
pub mod jobs;
pub mod local;
pub mod realtime;
pub mod service;
pub mod telemetry;
pub mod view;
