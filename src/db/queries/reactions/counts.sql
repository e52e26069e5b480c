SELECT message_id, emoji, count(*) AS count
FROM reactions
WHERE message_id = ANY ($1)
GROUP BY message_id, emoji
