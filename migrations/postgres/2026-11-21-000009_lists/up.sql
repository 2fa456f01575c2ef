-- Users by name, as lists sort them: letters A to Z in lower case, byte by byte.
CREATE INDEX users_in_order ON users (tenant_id, (lower(name COLLATE "C") COLLATE "C"), id);
