UPDATE roles SET rights = replace(rights, ',"sessionRead"', ''), version = version + 1
    WHERE built_in = 1 AND name = 'manager';
