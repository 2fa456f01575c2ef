-- Whether the user must replace the password at the next login, since somebody else has chosen or
-- seen it.
ALTER TABLE users ADD COLUMN password_change_required INTEGER NOT NULL DEFAULT 0;
