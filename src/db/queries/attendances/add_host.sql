INSERT INTO attendances (party_id, person_id, role) VALUES ($1, $2, 'host')
