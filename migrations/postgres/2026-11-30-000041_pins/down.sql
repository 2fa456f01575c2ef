DELETE FROM credentials WHERE kind = 'pin';
DROP INDEX credentials_key;
ALTER TABLE credentials DROP COLUMN due;
ALTER TABLE credentials DROP COLUMN key_id;
