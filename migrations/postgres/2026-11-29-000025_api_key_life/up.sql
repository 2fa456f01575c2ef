-- When a key stops being accepted, and the minute of its last use; NULL for never.
ALTER TABLE api_keys ADD COLUMN expires_at BIGINT;
ALTER TABLE api_keys ADD COLUMN last_used_at BIGINT;
-- After a rotation: the secret before, wrapped as the present one, and until when it is accepted.
ALTER TABLE api_keys ADD COLUMN previous_wrapped BYTEA;
ALTER TABLE api_keys ADD COLUMN previous_until BIGINT;
