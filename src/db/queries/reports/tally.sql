-- Who was sent away has no voice any more. A guest of whom no address is known has none either.
SELECT
    count(*) FILTER (WHERE NOT u.is_guest) AS accounts,
    count(DISTINCT g.joined_from)
        FILTER (WHERE u.is_guest AND a.joined_at <= clock_timestamp() - make_interval(mins => $2)) AS addresses
FROM reports r
JOIN media m ON m.id = r.media_id
JOIN people u ON u.id = r.reporter_id
JOIN attendances a ON a.party_id = m.party_id AND a.person_id = r.reporter_id AND a.state IN ('in', 'left')
LEFT JOIN guests g ON g.person_id = r.reporter_id
WHERE r.media_id = $1
