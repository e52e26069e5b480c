SELECT id FROM messages WHERE party_id = $1 AND sender_id = $2 AND client_id = $3
