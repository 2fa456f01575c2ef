-- The built-in role `manager` gets the right to see sessions of others, as in new tenants. The list
-- of rights is in the order of their names.
UPDATE roles SET rights = replace(rights, '"sessionDelete"', '"sessionDelete","sessionRead"'), version = version + 1
    WHERE built_in = TRUE AND name = 'manager' AND rights LIKE '%"sessionDelete"%' AND rights NOT LIKE '%"sessionRead"%';
