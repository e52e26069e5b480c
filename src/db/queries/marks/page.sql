-- Of parties that the person may still read, as the table of rights has it: pages are not to come empty
SELECT
    m.id, m.party_id, m.type, m.status, m.mood, m.caption, m.tags, m.width, m.height, m.duration_ms,
    coalesce(m.file_size, m.size) AS size, m.content_type, m.thumbhash, m.version,
    m.preview_type, m.thumb_type,
    m.likes_count, m.comments_count, m.views_count, m.created_at, m.seq, m.failure,
    u.id AS person_id, u.username, u.display_name, u.first_name, u.last_name, u.avatar_id,
    k.created_at AS marked_at
FROM marked k
JOIN media m ON m.id = k.media_id AND m.status = 'READY'
JOIN people u ON u.id = m.uploader_id
JOIN parties p ON p.id = m.party_id
LEFT JOIN attendances a ON a.party_id = p.id AND a.person_id = $1
