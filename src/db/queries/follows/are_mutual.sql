SELECT EXISTS (SELECT FROM follows WHERE follower_id = $1 AND followed_id = $2)
    AND EXISTS (SELECT FROM follows WHERE follower_id = $2 AND followed_id = $1) AS are_mutual
