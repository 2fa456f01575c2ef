ALTER TABLE sessions DROP COLUMN rotated_server;
ALTER TABLE sessions DROP COLUMN rotated_clock;
DELETE FROM nodes WHERE left_at IS NOT NULL;
ALTER TABLE nodes DROP COLUMN left_at;
ALTER TABLE nodes DROP COLUMN origin;
ALTER TABLE nodes DROP COLUMN boot_id;
