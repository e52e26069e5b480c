SELECT id, seq
FROM parties
WHERE id = ANY ($1) AND NOT is_private AND status <> 'DRAFT' AND NOT cancelled_as_draft AND deleted_at IS NULL
