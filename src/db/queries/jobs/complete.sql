DELETE FROM jobs WHERE id = $1 AND lease_token = $2
