DROP INDEX devices_named;
DROP INDEX devices_name;
CREATE UNIQUE INDEX devices_name ON devices (tenant_id, folded);
ALTER TABLE tenants DROP COLUMN access_limit;
ALTER TABLE tenants DROP COLUMN idle_limit;
ALTER TABLE tenants DROP COLUMN absolute_limit;
ALTER TABLE tenants DROP COLUMN overlap_limit;
