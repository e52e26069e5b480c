SELECT version, min_binary FROM schema_meta
