SELECT platform, url FROM social_links WHERE person_id = $1
