DROP INDEX places_latest;
DROP TABLE guesses;
ALTER TABLE attempts ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN failed_at INTEGER;
ALTER TABLE attempts DROP COLUMN barred_until;
ALTER TABLE attempts DROP COLUMN full_at;
