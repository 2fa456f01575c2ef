-- Finds what has changed since a mark in a list. Other kinds of resources have no list whose order
-- can change, and logins write most of their events.
CREATE INDEX live_events_changed ON live_events (tenant_id, kind, position, subject_id)
    WHERE kind = 'user' OR kind = 'ticket';
