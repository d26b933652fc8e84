-- Version 2: which address a check connected to, and when the certificate that it was shown runs out.

-- Addresses by small numbers, as probes and locations. A name that gives another address at every check fills this
-- table as slowly as `result`, and far more thinly.
CREATE TABLE address (
    key  INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

ALTER TABLE result ADD COLUMN address INTEGER; -- address.key; NULL: none was connected to
ALTER TABLE result ADD COLUMN expires INTEGER; -- seconds since 1970; NULL: no certificate was shown
