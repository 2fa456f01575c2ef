-- The maximum lifetimes of a tenant's sessions in milliseconds; NULL leaves a lifetime to the
-- configuration.
ALTER TABLE tenants ADD COLUMN access_limit BIGINT;
ALTER TABLE tenants ADD COLUMN idle_limit BIGINT;
ALTER TABLE tenants ADD COLUMN absolute_limit BIGINT;
ALTER TABLE tenants ADD COLUMN overlap_limit BIGINT;

-- The name of a retired device is free again. A search by that name finds the newest retired device
-- as long as no other device has it.
DROP INDEX devices_name;
CREATE UNIQUE INDEX devices_name ON devices (tenant_id, folded) WHERE status <> 'retired';
CREATE INDEX devices_named ON devices (tenant_id, folded, id);
