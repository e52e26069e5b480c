SELECT m.id, l.media_id IS NOT NULL AS is_liked, f.media_id IS NOT NULL AS is_favorite
FROM unnest($2::uuid[]) AS m (id)
LEFT JOIN media_likes l ON l.media_id = m.id AND l.person_id = $1
LEFT JOIN media_favorites f ON f.media_id = m.id AND f.person_id = $1
