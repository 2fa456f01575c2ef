-- How long a tenant wants its sessions to live at most, in milliseconds; NULL leaves a span as the configuration says.
ALTER TABLE tenants ADD COLUMN access_limit INTEGER;
ALTER TABLE tenants ADD COLUMN idle_limit INTEGER;
ALTER TABLE tenants ADD COLUMN absolute_limit INTEGER;
ALTER TABLE tenants ADD COLUMN overlap_limit INTEGER;

-- The name of a retired device is free again; it is still found by it while no other has it, the newest of them.
DROP INDEX devices_name;
CREATE UNIQUE INDEX devices_name ON devices (tenant_id, folded) WHERE status <> 'retired';
CREATE INDEX devices_named ON devices (tenant_id, folded, id);
