DELETE FROM social_links WHERE person_id = $1
