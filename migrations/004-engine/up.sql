-- Version 4: when a result was judged, whether it was asked for out of turn, and how a message is worded.

-- Milliseconds after its end; less than 0 where the clock was set back between. Results stand in the order in which they
-- were judged. NULL: stored before this was kept.
ALTER TABLE result ADD COLUMN judged INTEGER;
ALTER TABLE result ADD COLUMN asked INTEGER NOT NULL DEFAULT 0; -- 0 its turn had come, 1 a recheck

-- How a message is worded, for which kind of receiver. What `subject` and `text` are, every form has; the other columns
-- of a message are used as the form needs them.
ALTER TABLE notification ADD COLUMN form INTEGER NOT NULL DEFAULT 1; -- 1 mail
