DROP TRIGGER audit_whole ON audit;
DROP TRIGGER audit_kept ON audit;
DROP TRIGGER audit_unchanged ON audit;
DROP FUNCTION audit_unchanged();
DROP TABLE audit_seal;
