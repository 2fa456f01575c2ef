-- Whether users work on the device under its own session, as operators.
ALTER TABLE devices ADD COLUMN till_mode BOOLEAN NOT NULL DEFAULT FALSE;
-- The built-in role `manager` gets the right to unlock PINs on a till, as in new tenants. The list
-- of rights is in the order of their names.
UPDATE roles SET rights = replace(rights, '"sessionDelete",', '"pinReset","sessionDelete",'), version = version + 1
    WHERE built_in = TRUE AND name = 'manager' AND rights LIKE '%"sessionDelete",%' AND rights NOT LIKE '%"pinReset"%';
