-- Tickets. A ticket is read and written as a whole, so its items, payments and customer are one
-- JSON document (`sheet`) in its row, with amounts as integers in units of their last decimal
-- place. The other columns are those by which lists filter and sort. One conditional update
-- therefore changes all of a ticket, and one trigger makes a closed one immutable.
CREATE TABLE tickets (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    id BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'void')),
    currency TEXT NOT NULL,
    owner_id BLOB NOT NULL REFERENCES users (id),
    -- that it was opened on
    device_id BLOB NOT NULL REFERENCES devices (id),
    opened_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    ended_at INTEGER,
    refund_of BLOB,
    external_id TEXT NOT NULL,
    name TEXT NOT NULL,
    -- the customer's full name
    customer TEXT NOT NULL,
    -- of the closed ticket
    number INTEGER,
    -- hundredths
    payable INTEGER NOT NULL,
    version INTEGER NOT NULL,
    sheet TEXT NOT NULL,
    -- by whom, where and why it was closed or made void
    ending TEXT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, refund_of) REFERENCES tickets (tenant_id, id),
    CHECK ((state = 'open') = (ended_at IS NULL)),
    CHECK ((state = 'open') = (ending IS NULL))
) STRICT;
CREATE INDEX tickets_opened ON tickets (tenant_id, opened_at, id);
CREATE INDEX tickets_updated ON tickets (tenant_id, updated_at, id);
CREATE INDEX tickets_payable ON tickets (tenant_id, payable, id);
CREATE INDEX tickets_state ON tickets (tenant_id, state, opened_at, id);
CREATE INDEX tickets_owner ON tickets (tenant_id, owner_id, opened_at, id);
CREATE INDEX tickets_device ON tickets (tenant_id, device_id, opened_at, id);
CREATE INDEX tickets_refunds ON tickets (tenant_id, refund_of, opened_at, id);

-- A closed or void ticket never changes, whatever statement is sent.
CREATE TRIGGER tickets_are_not_changed BEFORE UPDATE ON tickets WHEN OLD.state <> 'open'
BEGIN
    SELECT RAISE(ABORT, 'a closed or void ticket stays as it is');
END;
CREATE TRIGGER tickets_are_not_deleted BEFORE DELETE ON tickets WHEN OLD.state <> 'open'
BEGIN
    SELECT RAISE(ABORT, 'a closed or void ticket stays as it is');
END;
-- OR REPLACE deletes a conflicting row without firing the trigger above: a ticket with the same id,
-- or in the same row if a row is named (it is -1 if none is).
CREATE TRIGGER tickets_are_not_replaced BEFORE INSERT ON tickets
WHEN EXISTS (SELECT 1 FROM tickets WHERE tenant_id = NEW.tenant_id AND id = NEW.id AND state <> 'open')
    OR (NEW.rowid <> -1 AND EXISTS (SELECT 1 FROM tickets WHERE rowid = NEW.rowid AND state <> 'open'))
BEGIN
    SELECT RAISE(IGNORE);
END;
CREATE TRIGGER tickets_are_not_moved BEFORE UPDATE ON tickets
WHEN NEW.rowid <> OLD.rowid OR NEW.tenant_id <> OLD.tenant_id OR NEW.id <> OLD.id
BEGIN
    SELECT RAISE(ABORT, 'a ticket keeps its id');
END;

-- A refund claims this row before it reads the refunds of a ticket: the ticket itself is closed and
-- accepts no update.
CREATE TABLE ticket_claims (
    tenant_id BLOB NOT NULL,
    ticket_id BLOB NOT NULL,
    claims INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, ticket_id),
    FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- The latest number of a closed ticket of a device.
CREATE TABLE ticket_numbers (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    device_id BLOB NOT NULL REFERENCES devices (id),
    number INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, device_id)
) STRICT, WITHOUT ROWID;

-- Requests with idempotency keys: the client's key, the SHA-256 of the request, and the sheet of
-- the ticket as it was created.
CREATE TABLE idempotency_keys (
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id),
    key TEXT NOT NULL,
    request BLOB NOT NULL,
    ticket_id BLOB NOT NULL,
    sheet TEXT NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id, key),
    FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id)
) STRICT;
CREATE INDEX idempotency_keys_used ON idempotency_keys (used_at);
