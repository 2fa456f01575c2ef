-- As before: name, address as it was entered, display name.
UPDATE users SET searched =
    split_part(searched, chr(31), 1) || chr(31)
    || split_part(split_part(searched, chr(31) || chr(30), 2), chr(31), 1)
    || substr(split_part(searched, chr(31) || chr(30), 1), length(split_part(searched, chr(31), 1)) + 1)
WHERE strpos(searched, chr(31) || chr(30)) > 0;
