DROP INDEX audit_tenant_action;
DROP INDEX audit_refused;
DROP INDEX audit_subject;
DROP INDEX audit_session;
CREATE INDEX audit_at ON audit (at);
DROP TRIGGER audit_kept;
DROP TRIGGER audit_unreplaced;
DROP TRIGGER audit_unchanged;
DROP TABLE audit_seal;
