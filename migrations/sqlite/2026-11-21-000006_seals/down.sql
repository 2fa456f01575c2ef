DROP TRIGGER audit_kept;
DROP TRIGGER audit_unchanged;
DROP TABLE audit_seal;
