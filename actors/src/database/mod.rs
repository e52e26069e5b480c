//! The Database actor: owns the PostgreSQL pool, lends connections, tells when it is gone.
