-- When a device last proved that it has the key, to the hour; NULL before its first refresh.
ALTER TABLE device_keys ADD COLUMN used_at BIGINT;
-- The API key with which an enrollment was started; NULL if it was started in another way.
ALTER TABLE enrollments ADD COLUMN started_with BYTEA;
CREATE INDEX enrollments_started_with ON enrollments (started_with) WHERE started_with IS NOT NULL;
-- Nothing has ever read or written it: the key of a device is in `device_keys`.
ALTER TABLE devices DROP COLUMN thumbprint;
