SELECT n.id, n.person_id, n.type, n.actor_id, n.party_id, n.media_id, n.comment_id, n.created_at, n.read_at IS NOT NULL AS is_read,
    u.display_name AS actor, p.title, p.cancel_reason, p.is_private, p.status = 'DRAFT' OR p.cancelled_as_draft AS is_draft, a.role, a.state, a.rsvp, m.type AS media_type,
    t.rsvp AS answer
FROM notifications n
LEFT JOIN people u ON u.id = n.actor_id
LEFT JOIN parties p ON p.id = n.party_id
LEFT JOIN attendances a ON a.party_id = n.party_id AND a.person_id = n.person_id
LEFT JOIN attendances t ON t.party_id = n.party_id AND t.person_id = n.actor_id
LEFT JOIN media m ON m.id = n.media_id
