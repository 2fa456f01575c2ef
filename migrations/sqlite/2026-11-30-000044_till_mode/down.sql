UPDATE roles SET rights = replace(rights, '"pinReset",', ''), version = version + 1
    WHERE built_in = 1 AND name = 'manager' AND rights LIKE '%"pinReset",%';
ALTER TABLE devices DROP COLUMN till_mode;
