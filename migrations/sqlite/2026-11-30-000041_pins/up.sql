-- For a PIN: the key of the server with which it was digested before it was hashed, and whether
-- somebody else than its user has seen it.
ALTER TABLE credentials ADD COLUMN key_id BLOB;
ALTER TABLE credentials ADD COLUMN due INTEGER NOT NULL DEFAULT 0;
CREATE INDEX credentials_key ON credentials (key_id) WHERE key_id IS NOT NULL;
