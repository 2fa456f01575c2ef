-- When a key stops being accepted, and the minute of its last use; NULL for never.
ALTER TABLE api_keys ADD COLUMN expires_at INTEGER;
ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;
-- After a rotation: the secret before, wrapped as the present one, and until when it is accepted.
ALTER TABLE api_keys ADD COLUMN previous_wrapped BLOB;
ALTER TABLE api_keys ADD COLUMN previous_until INTEGER;
