-- The party's number is read in the same statement, so that the page can be followed from there without a gap.
SELECT
    m.id, m.party_id, m.type, m.status, m.mood, m.caption, m.tags, m.width, m.height, m.duration_ms,
    coalesce(m.file_size, m.size) AS size, m.content_type, m.thumbhash, m.version,
    m.preview_type, m.thumb_type,
    m.likes_count, m.comments_count, m.views_count, m.created_at, m.seq, m.failure,
    u.id AS person_id, u.username, u.display_name, u.first_name, u.last_name, u.avatar_id,
    p.seq AS party_seq
FROM parties p
LEFT JOIN LATERAL (
    SELECT * FROM media
    WHERE party_id = p.id
      AND status = $2
