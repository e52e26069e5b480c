DELETE FROM reactions WHERE message_id = $1 AND person_id = $2 AND emoji = $3
