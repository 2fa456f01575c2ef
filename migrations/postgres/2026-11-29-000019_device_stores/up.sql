-- The store in which a device is; NULL if it is in none. A store with devices cannot be removed.
ALTER TABLE devices ADD COLUMN branch_id BYTEA REFERENCES branches (id);
CREATE INDEX devices_branch ON devices (branch_id, id) WHERE branch_id IS NOT NULL;
