-- When a user proved to receive mail at the e-mail address; NULL until then.
ALTER TABLE users ADD COLUMN email_verified_at INTEGER;

-- The address to which the token of an invitation is mailed; NULL if it was shown instead.
ALTER TABLE invitations ADD COLUMN email TEXT;

-- Verifications of e-mail addresses, at most one per user. Only the SHA-256 of the token is stored.
CREATE TABLE email_verifications (
    user_id BLOB PRIMARY KEY NOT NULL REFERENCES users (id),
    digest BLOB NOT NULL UNIQUE,
    email TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX email_verifications_expires ON email_verifications (expires_at);

-- Mails with a link, until a background thread has sent them. The token is generated then.
CREATE TABLE mail_queue (
    kind TEXT NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id),
    email TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    PRIMARY KEY (kind, user_id)
) STRICT;
CREATE INDEX mail_queue_due ON mail_queue (due_at, user_id, kind);
