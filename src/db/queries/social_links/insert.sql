INSERT INTO social_links (person_id, platform, url)
SELECT $1, platform, url FROM unnest($2::text[], $3::text[]) AS links (platform, url)
