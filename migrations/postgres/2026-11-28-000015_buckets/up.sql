-- Wrong passwords are counted in token buckets. What an account had failed in a row makes its bucket for unknown networks emptier,
-- which holds ten tokens of 16 minutes each; what was counted under other keys is never asked for again and is swept.
ALTER TABLE attempts ADD COLUMN full_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN barred_until BIGINT;
UPDATE attempts SET full_at = failed_at + 960000 * CASE WHEN failures > 10 THEN 10 ELSE failures END
    WHERE failed_at IS NOT NULL;
ALTER TABLE attempts DROP COLUMN failures;
ALTER TABLE attempts DROP COLUMN failed_at;

-- Wrong passwords, as digests under a key that is not in the database, by the bucket that they took a token of.
CREATE TABLE guesses (
    key BYTEA NOT NULL,
    guess BYTEA NOT NULL,
    guessed_at BIGINT NOT NULL,
    PRIMARY KEY (key, guess)
);
CREATE INDEX guesses_guessed ON guesses (guessed_at);

-- The networks where an account is known: those of its latest successes.
CREATE INDEX places_latest ON places (principal_id, succeeded_at, place);
