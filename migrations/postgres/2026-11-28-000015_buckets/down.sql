DROP INDEX places_latest;
DROP TABLE guesses;
ALTER TABLE attempts ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN failed_at BIGINT;
ALTER TABLE attempts DROP COLUMN barred_until;
ALTER TABLE attempts DROP COLUMN full_at;
