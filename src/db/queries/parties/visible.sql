-- Those that person $1, whose place is a, may read: what domain/access says, for lists
WHERE ((NOT p.is_private AND p.status <> 'DRAFT')
    OR (a.state = 'in' AND (a.role IN ('host', 'cohost')
        OR (p.status <> 'DRAFT' AND (a.role = 'guest' OR a.rsvp <> 'NOT_GOING')))))
