-- Failed logins are counted in token buckets. The earlier count of consecutive failures of an
-- account reduces the tokens in its bucket for unknown networks, which holds ten tokens of 16
-- minutes each. Counts under other keys are never read again and are swept.
ALTER TABLE attempts ADD COLUMN full_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN barred_until BIGINT;
UPDATE attempts SET full_at = failed_at + 960000 * CASE WHEN failures > 10 THEN 10 ELSE failures END
    WHERE failed_at IS NOT NULL;
ALTER TABLE attempts DROP COLUMN failures;
ALTER TABLE attempts DROP COLUMN failed_at;

-- Wrong passwords, as digests under a key that is not in the database, by the bucket from which
-- they took a token.
CREATE TABLE guesses (
    key BYTEA NOT NULL,
    guess BYTEA NOT NULL,
    guessed_at BIGINT NOT NULL,
    PRIMARY KEY (key, guess)
);
CREATE INDEX guesses_guessed ON guesses (guessed_at);

-- The networks in which an account is known: those of its latest successful logins.
CREATE INDEX places_latest ON places (principal_id, succeeded_at, place);
