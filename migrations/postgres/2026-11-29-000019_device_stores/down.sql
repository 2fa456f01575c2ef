DROP INDEX devices_branch;
ALTER TABLE devices DROP COLUMN branch_id;
