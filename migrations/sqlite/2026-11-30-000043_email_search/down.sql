-- As before: name, address as it was entered, display name.
UPDATE users SET searched = (
    SELECT substr(names, 1, instr(names || char(31), char(31)) - 1) || char(31)
        || substr(forms, 1, instr(forms || char(31), char(31)) - 1)
        || substr(names, instr(names || char(31), char(31)))
    FROM (
        SELECT substr(users.searched, 1, instr(users.searched, char(31, 30)) - 1) AS names,
            substr(users.searched, instr(users.searched, char(31, 30)) + 2) AS forms
    )
)
WHERE instr(searched, char(31, 30)) > 0;
