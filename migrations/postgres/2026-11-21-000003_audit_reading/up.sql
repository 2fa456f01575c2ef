-- The audit is read by who did something, where, and what was done.
CREATE INDEX audit_user ON audit (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_device ON audit (device_id, id) WHERE device_id IS NOT NULL;
CREATE INDEX audit_action ON audit (action, id);
