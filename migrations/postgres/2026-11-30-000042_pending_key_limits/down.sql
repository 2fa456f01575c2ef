-- The choices of the tenants stay.
ALTER TABLE tenants ALTER COLUMN machine_codes SET DEFAULT TRUE;
DROP INDEX pending_keys_expires;
CREATE INDEX pending_keys_expires ON pending_keys (expires_at);
ALTER TABLE pending_keys DROP COLUMN fingerprint_attempts;
ALTER TABLE pending_keys ALTER COLUMN tenant_id DROP NOT NULL;
