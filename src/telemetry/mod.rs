//! The root logger, the panic hook and the metrics.
