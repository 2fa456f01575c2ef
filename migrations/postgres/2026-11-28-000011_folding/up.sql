-- Names are compared with full case folding, and searched columns are folded in the same way. SQL
-- cannot do that: the program fills these columns and computes the keys again in the same
-- transaction. A key that now belongs to another row as well stays as it is.
ALTER TABLE users ADD COLUMN searched TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN searched TEXT NOT NULL DEFAULT '';
ALTER TABLE tickets ADD COLUMN searched TEXT NOT NULL DEFAULT '';
-- NULL for an event whose details are searched by their JSON as it is
ALTER TABLE audit ADD COLUMN searched TEXT;
CREATE TRIGGER audit_searched_unchanged BEFORE UPDATE ON audit FOR EACH ROW
WHEN (NEW.searched IS DISTINCT FROM OLD.searched) EXECUTE FUNCTION audit_unchanged();
