SELECT id, seq FROM parties WHERE id = ANY ($1) AND NOT is_private AND status <> 'DRAFT' AND deleted_at IS NULL
