-- For a PIN: the key of the server with which it was digested before it was hashed, and whether
-- somebody else than its user has seen it.
ALTER TABLE credentials ADD COLUMN key_id BYTEA;
ALTER TABLE credentials ADD COLUMN due BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX credentials_key ON credentials (key_id) WHERE key_id IS NOT NULL;
