-- Version 4.

-- How a message is worded, for which kind of receiver. What `subject` and `text` are, every form has; the other columns
-- of a message are used as the form needs them.
ALTER TABLE notification ADD COLUMN form INTEGER NOT NULL DEFAULT 1; -- 1 mail
