//! The Health actor: probes everything on a beat and publishes the snapshot.
