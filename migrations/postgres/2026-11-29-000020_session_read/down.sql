UPDATE roles SET rights = replace(rights, ',"sessionRead"', ''), version = version + 1
    WHERE built_in = TRUE AND name = 'manager';
