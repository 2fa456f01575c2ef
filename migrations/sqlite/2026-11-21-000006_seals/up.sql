-- The newest seal of the audit. There is one row for ever; whoever seals claims it first.
CREATE TABLE audit_seal (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
INSERT INTO audit_seal (id, sequence, hash) VALUES (1, 0, x'');

-- A number is of a line that is sealed: those that wait are found in their own index alone, in its order.
DROP INDEX audit_sequence;
CREATE UNIQUE INDEX audit_sequence ON audit (sequence) WHERE sequence IS NOT NULL;

-- A line of the audit says for ever what it said at first. It gets its seal once, and is never removed. OR REPLACE removes what is in
-- its way without asking whoever keeps lines from being removed: so no line takes the id, the number or the row of another (the row
-- is -1 where none is named).
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

-- Ids are made of instants: a span of time is one of ids, in each of these.
DROP INDEX audit_at;
-- The audit is read by session, by what something was done to, and what was refused stands out.
CREATE INDEX audit_session ON audit (session_id, id) WHERE session_id IS NOT NULL;
CREATE INDEX audit_subject ON audit (subject_id, id) WHERE subject_id IS NOT NULL;
CREATE INDEX audit_refused ON audit (tenant_id, id) WHERE outcome = 'refused';
-- What was done is asked of one tenant, but by whoever looks after the server.
CREATE INDEX audit_tenant_action ON audit (tenant_id, action, id);
