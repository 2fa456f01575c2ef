ALTER TABLE devices ADD COLUMN thumbprint BLOB;
DROP INDEX enrollments_started_with;
ALTER TABLE enrollments DROP COLUMN started_with;
ALTER TABLE device_keys DROP COLUMN used_at;
