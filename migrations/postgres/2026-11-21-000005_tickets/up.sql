-- Tickets. A ticket is read and written as a whole, so its items, payments and customer are one
-- JSON document (`sheet`) in its row, with amounts as integers in units of their last decimal
-- place. The other columns are those by which lists filter and sort. One conditional update
-- therefore changes all of a ticket, and one trigger makes a closed one immutable.
CREATE TABLE tickets (
    tenant_id BYTEA NOT NULL REFERENCES tenants (id),
    id BYTEA NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'void')),
    currency TEXT NOT NULL,
    owner_id BYTEA NOT NULL REFERENCES users (id),
    -- that it was opened on
    device_id BYTEA NOT NULL REFERENCES devices (id),
    opened_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    ended_at BIGINT,
    refund_of BYTEA,
    external_id TEXT NOT NULL,
    name TEXT NOT NULL,
    -- the customer's full name
    customer TEXT NOT NULL,
    -- of the closed ticket
    number BIGINT,
    -- hundredths
    payable BIGINT NOT NULL,
    version BIGINT NOT NULL,
    sheet TEXT NOT NULL,
    -- by whom, where and why it was closed or made void
    ending TEXT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, refund_of) REFERENCES tickets (tenant_id, id),
    CHECK ((state = 'open') = (ended_at IS NULL)),
    CHECK ((state = 'open') = (ending IS NULL))
);
CREATE INDEX tickets_opened ON tickets (tenant_id, opened_at, id);
CREATE INDEX tickets_updated ON tickets (tenant_id, updated_at, id);
CREATE INDEX tickets_payable ON tickets (tenant_id, payable, id);
CREATE INDEX tickets_state ON tickets (tenant_id, state, opened_at, id);
CREATE INDEX tickets_owner ON tickets (tenant_id, owner_id, opened_at, id);
CREATE INDEX tickets_device ON tickets (tenant_id, device_id, opened_at, id);
CREATE INDEX tickets_refunds ON tickets (tenant_id, refund_of, opened_at, id);

-- A closed or void ticket never changes, whatever statement is sent.
CREATE FUNCTION ticket_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a closed or void ticket stays as it is' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER tickets_are_not_changed BEFORE UPDATE OR DELETE ON tickets
    FOR EACH ROW WHEN (OLD.state <> 'open') EXECUTE FUNCTION ticket_stays();
CREATE TRIGGER tickets_are_not_truncated BEFORE TRUNCATE ON tickets
    FOR EACH STATEMENT EXECUTE FUNCTION ticket_stays();

-- A refund claims this row before it reads the refunds of a ticket: the ticket itself is closed and
-- accepts no update.
CREATE TABLE ticket_claims (
    tenant_id BYTEA NOT NULL,
    ticket_id BYTEA NOT NULL,
    claims BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, ticket_id),
    FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id)
);

-- The latest number of a closed ticket of a device.
CREATE TABLE ticket_numbers (
    tenant_id BYTEA NOT NULL REFERENCES tenants (id),
    device_id BYTEA NOT NULL REFERENCES devices (id),
    number BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, device_id)
);

-- Requests with idempotency keys: the client's key, the SHA-256 of the request, and the sheet of
-- the ticket as it was created.
CREATE TABLE idempotency_keys (
    tenant_id BYTEA NOT NULL,
    user_id BYTEA NOT NULL REFERENCES users (id),
    key TEXT NOT NULL,
    request BYTEA NOT NULL,
    ticket_id BYTEA NOT NULL,
    sheet TEXT NOT NULL,
    used_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, key),
    FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id)
);
CREATE INDEX idempotency_keys_used ON idempotency_keys (used_at);
