WHERE p.code_hmac = ANY ($2)
