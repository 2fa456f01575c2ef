-- The newest seal of the audit log. There is always exactly one row; a sealer claims it first.
CREATE TABLE audit_seal (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL
);
INSERT INTO audit_seal (id, sequence, hash) VALUES (1, 0, '');

-- Only sealed events have a number. Those that wait are found by an index of their own, in its
-- order.
DROP INDEX audit_sequence;
CREATE UNIQUE INDEX audit_sequence ON audit (sequence) WHERE sequence IS NOT NULL;

-- An audit event never changes. It is sealed once, and never removed.
CREATE FUNCTION audit_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'a line of the audit is never removed';
    END IF;
    RAISE EXCEPTION 'a line of the audit is never changed';
END
$$;
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit FOR EACH ROW
WHEN (OLD.sequence IS NOT NULL
    OR (NEW.id, NEW.at, NEW.tenant_id, NEW.user_id, NEW.device_id, NEW.session_id, NEW.address, NEW.action, NEW.subject,
        NEW.subject_id, NEW.outcome, NEW.details, NEW.approver_id, NEW.operation)
    IS DISTINCT FROM (OLD.id, OLD.at, OLD.tenant_id, OLD.user_id, OLD.device_id, OLD.session_id, OLD.address, OLD.action, OLD.subject,
        OLD.subject_id, OLD.outcome, OLD.details, OLD.approver_id, OLD.operation))
EXECUTE FUNCTION audit_unchanged();
CREATE TRIGGER audit_kept BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_unchanged();
CREATE TRIGGER audit_whole BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_unchanged();

-- Ids begin with an instant, so a time range is a range of ids in each of these indexes.
DROP INDEX audit_at;
-- Audit events are listed by session, by subject, and by the outcome `refused`.
CREATE INDEX audit_session ON audit (session_id, id) WHERE session_id IS NOT NULL;
CREATE INDEX audit_subject ON audit (subject_id, id) WHERE subject_id IS NOT NULL;
CREATE INDEX audit_refused ON audit (tenant_id, id) WHERE outcome = 'refused';
-- An action is listed within one tenant, or by the operator across all tenants.
CREATE INDEX audit_tenant_action ON audit (tenant_id, action, id);
