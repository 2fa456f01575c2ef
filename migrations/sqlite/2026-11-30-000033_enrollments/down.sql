UPDATE roles SET rights = replace(rights, '"deviceEnroll",', ''), version = version + 1
    WHERE built_in = 1 AND name = 'manager';
DROP TABLE enrollments;
DROP TABLE device_keys;
