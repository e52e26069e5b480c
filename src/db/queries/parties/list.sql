AND ($3::text IS NULL OR p.status = $3)
AND ($4::text IS NULL OR p.tags @> ARRAY[$4])
AND (NOT $5 OR (p.status = 'PLANNED' AND p.starts_at > now()))
AND (NOT $6 OR p.status = 'LIVE')
-- A degree of latitude is 110.57 km at least: the band is what the index gives, the circle is what is asked for
AND ($7::double precision IS NULL OR (
    p.latitude BETWEEN $7 - $9::double precision / 110.5 AND $7 + $9 / 110.5
    AND 12742 * asin(least(1, sqrt(
        sind((p.latitude - $7) / 2) ^ 2
        + cosd($7) * cosd(p.latitude) * sind((p.longitude - $8::double precision) / 2) ^ 2
    ))) <= $9
))
AND ($10::text IS NULL OR p.words @@ to_tsquery('simple', $10))
-- One condition for all that is asked for: a plan for any parameters goes by the index, and no further than the limit
AND (p.status <> 'LIVE', p.starts_at, p.id)
    > (coalesce($11::boolean, false), coalesce($12::timestamptz, '-infinity'), coalesce($13::uuid, '00000000-0000-0000-0000-000000000000'))
ORDER BY p.status <> 'LIVE', p.starts_at, p.id
LIMIT $14
