-- Names are compared with their case folded in full, and what is searched is kept folded the same way. SQL folds no text in full: the
-- program fills these columns and makes the keys anew in the same transaction. A key that would now be another's as well stays as it
-- is.
ALTER TABLE users ADD COLUMN searched TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN searched TEXT NOT NULL DEFAULT '';
ALTER TABLE tickets ADD COLUMN searched TEXT NOT NULL DEFAULT '';
-- of a line whose details are searched by their JSON as it is: NULL
ALTER TABLE audit ADD COLUMN searched TEXT;
CREATE TRIGGER audit_searched_unchanged BEFORE UPDATE ON audit WHEN NEW.searched IS NOT OLD.searched
BEGIN
    SELECT RAISE(ABORT, 'a line of the audit is never changed');
END;
