SELECT epoch FROM schema_meta
