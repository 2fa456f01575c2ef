ALTER TABLE tenants DROP COLUMN accent_color;
