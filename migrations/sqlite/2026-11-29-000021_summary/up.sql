-- The tills of a tenant are counted from this index, without their rows, which can be large.
CREATE INDEX devices_state ON devices (tenant_id, environment, status, seat_id) WHERE status <> 'retired';
-- The principals with too many failed logins: those whose buckets are full only in a while.
CREATE INDEX attempts_full ON attempts (full_at) WHERE principal_id IS NOT NULL;
