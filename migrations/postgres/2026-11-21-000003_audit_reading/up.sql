-- The audit is read by who did something, where, and what was done. A tenant is asked for beside each: an index that ends in it passes
-- over lines without reading them.
CREATE INDEX audit_user ON audit (user_id, id, tenant_id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_device ON audit (device_id, id, tenant_id) WHERE device_id IS NOT NULL;
CREATE INDEX audit_action ON audit (action, id);
