-- Each key belongs to a tenant from its start from now on, and typed digits are counted. Keys whose
-- machines have presented the code of a device, or were accepted, belong to the tenant of the
-- device. Others without a tenant are dropped: they wait for minutes only, and their machines start
-- again.
UPDATE pending_keys SET tenant_id = devices.tenant_id
FROM devices WHERE devices.id = pending_keys.device_id AND pending_keys.tenant_id IS NULL;
DELETE FROM pending_keys WHERE tenant_id IS NULL;
ALTER TABLE pending_keys ALTER COLUMN tenant_id SET NOT NULL;
-- how often digits were typed for the key
ALTER TABLE pending_keys ADD COLUMN fingerprint_attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE pending_keys ALTER COLUMN fingerprint_attempts DROP DEFAULT;
DROP INDEX pending_keys_expires;
CREATE INDEX pending_keys_expires ON pending_keys (expires_at, tenant_id);
-- A tenant accepts machines that show a code only if it chooses to. Nobody has chosen so before.
ALTER TABLE tenants ALTER COLUMN machine_codes SET DEFAULT FALSE;
UPDATE tenants SET machine_codes = FALSE;
