ALTER TABLE tenants DROP COLUMN machine_codes;
DROP TABLE pending_keys;
ALTER TABLE enrollments DROP COLUMN confirms;
