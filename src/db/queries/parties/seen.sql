-- Parties with their host and the place that caller $1 has in them, a person or a display
SELECT p.id, p.title, p.description, p.status, p.starts_at, p.ends_at, p.started_at, p.ended_at, p.is_private,
    p.max_attendees, p.venue, p.tags, p.code_sealed, p.attendees_count, p.media_count, p.seq, p.revision,
    p.links_version, p.cover_id, p.cover_type, p.created_at, p.updated_at, p.cancelled_as_draft,
    h.id AS person_id, h.username, h.display_name, h.first_name, h.last_name, h.avatar_id,
    a.role, a.state, a.rsvp, now() AS read_at,
    (SELECT f.created_at FROM party_favorites f WHERE f.party_id = p.id AND f.person_id = $1) AS favorite_since,
    EXISTS (SELECT FROM displays d WHERE d.id = $1 AND d.party_id = p.id AND d.revoked_at IS NULL) AS is_display
FROM parties p
JOIN people h ON h.id = p.host_id
LEFT JOIN attendances a ON a.party_id = p.id AND a.person_id = $1
