-- Users are found by their e-mail address with its domain in Unicode and in Punycode. SQL cannot
-- convert a domain: the program composes this column again in the same transaction, with the address
-- behind the names.
UPDATE users SET searched = '';
