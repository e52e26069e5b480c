-- With another user it is another device: who had it before cannot name it any more
INSERT INTO devices (id, person_id, token, token_hash, platform)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (token_hash) DO UPDATE
SET person_id = excluded.person_id, platform = excluded.platform,
    id = CASE WHEN devices.person_id = excluded.person_id THEN devices.id ELSE excluded.id END,
    created_at = CASE
        WHEN devices.person_id = excluded.person_id THEN devices.created_at ELSE excluded.created_at
    END
RETURNING id, platform, created_at
