-- The newest seal of the audit log. There is always exactly one row; a sealer claims it first.
CREATE TABLE audit_seal (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
INSERT INTO audit_seal (id, sequence, hash) VALUES (1, 0, x'');

-- Only sealed events have a number. Those that wait are found by an index of their own, in its
-- order.
DROP INDEX audit_sequence;
CREATE UNIQUE INDEX audit_sequence ON audit (sequence) WHERE sequence IS NOT NULL;

-- An audit event never changes. It is sealed once, and never removed. OR REPLACE removes a
-- conflicting row without firing the trigger against removal: therefore no event may take the id,
-- the number or the row of another (the row is -1 if none is named).
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit
WHEN OLD.sequence IS NOT NULL
    OR NEW.rowid IS NOT OLD.rowid
    OR NEW.id IS NOT OLD.id
    OR NEW.at IS NOT OLD.at
    OR NEW.tenant_id IS NOT OLD.tenant_id
    OR NEW.user_id IS NOT OLD.user_id
    OR NEW.device_id IS NOT OLD.device_id
    OR NEW.session_id IS NOT OLD.session_id
    OR NEW.address IS NOT OLD.address
    OR NEW.action IS NOT OLD.action
    OR NEW.subject IS NOT OLD.subject
    OR NEW.subject_id IS NOT OLD.subject_id
    OR NEW.outcome IS NOT OLD.outcome
    OR NEW.details IS NOT OLD.details
    OR NEW.approver_id IS NOT OLD.approver_id
    OR NEW.operation IS NOT OLD.operation
    OR EXISTS (SELECT 1 FROM audit WHERE sequence = NEW.sequence)
BEGIN
    SELECT RAISE(ABORT, 'a line of the audit is never changed');
END;
CREATE TRIGGER audit_unreplaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
    OR EXISTS (SELECT 1 FROM audit WHERE sequence = NEW.sequence)
    OR (NEW.rowid <> -1 AND EXISTS (SELECT 1 FROM audit WHERE rowid = NEW.rowid))
BEGIN
    SELECT RAISE(ABORT, 'a line of the audit is never changed');
END;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'a line of the audit is never removed');
END;

-- Ids begin with an instant, so a time range is a range of ids in each of these indexes.
DROP INDEX audit_at;
-- Audit events are listed by session, by subject, and by the outcome `refused`.
CREATE INDEX audit_session ON audit (session_id, id) WHERE session_id IS NOT NULL;
CREATE INDEX audit_subject ON audit (subject_id, id) WHERE subject_id IS NOT NULL;
CREATE INDEX audit_refused ON audit (tenant_id, id) WHERE outcome = 'refused';
-- An action is listed within one tenant, or by the operator across all tenants.
CREATE INDEX audit_tenant_action ON audit (tenant_id, action, id);
