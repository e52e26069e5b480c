-- Those that person $1, whose place is a, may read: what domain/access says, for lists
WHERE ((NOT p.is_private AND p.status <> 'DRAFT' AND NOT p.cancelled_as_draft)
    OR (a.state = 'in' AND (a.role IN ('host', 'cohost')
        OR (p.status <> 'DRAFT' AND NOT p.cancelled_as_draft AND (a.role = 'guest' OR a.rsvp <> 'NOT_GOING')))))
