SELECT one.follower_id, one.followed_id
FROM follows AS one
JOIN follows AS back ON back.follower_id = one.followed_id AND back.followed_id = one.follower_id
WHERE one.follower_id = ANY ($1) AND one.followed_id = ANY ($2)
