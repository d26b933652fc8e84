-- Version 5: what people correct of an incident.

-- What an action is about beside its incident: the one that is merged into it, and the names of the components and rules
-- that are split from it. Kinds: 6 merge, 7 split, 8 false alarm.
ALTER TABLE action ADD COLUMN other BLOB REFERENCES incident (id);
ALTER TABLE action ADD COLUMN parts TEXT; -- JSON: [name, ...]

-- For listings, as the events make them.
ALTER TABLE incident ADD COLUMN merged_into BLOB;
ALTER TABLE incident ADD COLUMN false_alarm_by TEXT; -- who says so; NULL: nobody
ALTER TABLE incident ADD COLUMN false_alarm TEXT;    -- why

CREATE INDEX incident_false_alarm ON incident (opened) WHERE false_alarm_by IS NOT NULL;
