-- Audit events are listed by user, by device and by action, within a tenant: an index that ends
-- with the tenant skips events without reading them.
CREATE INDEX audit_user ON audit (user_id, id, tenant_id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_device ON audit (device_id, id, tenant_id) WHERE device_id IS NOT NULL;
CREATE INDEX audit_action ON audit (action, id);
