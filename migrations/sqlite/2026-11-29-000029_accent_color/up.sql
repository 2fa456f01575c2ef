-- The color of the tenant's pages, such as #0b6b5e; NULL for the default.
ALTER TABLE tenants ADD COLUMN accent_color TEXT;
