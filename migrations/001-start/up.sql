-- Version 1. Times are milliseconds since 1970-01-01T00:00:00Z unless a comment says otherwise.

-- "Trip" in ASCII: how a database of Tripline is told from any other SQLite file.
PRAGMA application_id = 1416784240;

-- Probes and locations by small numbers, so that a result need not repeat their names.
CREATE TABLE probe (
    key INTEGER PRIMARY KEY,
    id  TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE location (
    key  INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- One row per check, in the order in which they were stored: appending stays fast however large the table grows, and
-- replaying it in this order gives the engine its input as it came. No index over all rows, for the same reason:
-- `mark` finds a time and `result_unwell` finds a probe's failures. Keys are handed out by the one writer, so a row
-- does not pay for checking them as foreign keys.
CREATE TABLE result (
    id         INTEGER PRIMARY KEY,
    probe      INTEGER NOT NULL, -- probe.key
    location   INTEGER NOT NULL, -- location.key
    started    INTEGER NOT NULL,
    outcome    INTEGER NOT NULL, -- 0 success, 1..127 a failure class, 129.. why nobody looked
    status     INTEGER,          -- the protocol's own number
    dns        INTEGER,          -- phases in microseconds; NULL: not reached, or not of the protocol
    connect    INTEGER,
    tls        INTEGER,
    first_byte INTEGER,
    transfer   INTEGER,
    total      INTEGER NOT NULL
) STRICT;

CREATE INDEX result_unwell ON result (probe, id) WHERE outcome <> 0;

-- The first result that was stored of those that ended in a minute (since the epoch). All that ended at or after a
-- minute have ids from the least `first_result` of that and the later minutes on, in whatever order they came.
CREATE TABLE mark (
    minute       INTEGER PRIMARY KEY,
    first_result INTEGER NOT NULL
) STRICT;

-- Why a result counts as failed. A body is kept once, however many checks got the same error page.
CREATE TABLE evidence_body (
    key  INTEGER PRIMARY KEY,
    hash INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE INDEX evidence_body_by_hash ON evidence_body (hash);

CREATE TABLE evidence (
    result              INTEGER PRIMARY KEY, -- result.id
    fault               TEXT NOT NULL,
    request             TEXT NOT NULL,
    address             TEXT,
    headers             TEXT NOT NULL,       -- JSON: [[name, value], ...]
    redirects           TEXT NOT NULL,       -- JSON: [url, ...]
    body                INTEGER NOT NULL REFERENCES evidence_body (key),
    certificate_subject TEXT,
    certificate_issuer  TEXT,
    certificate_expires INTEGER,
    certificate_fault   TEXT
) STRICT;

-- What the events of an incident make of it, for listings. The events are the truth.
CREATE TABLE incident (
    id              BLOB PRIMARY KEY CHECK (length(id) = 16),
    state           INTEGER NOT NULL, -- 0 investigating, 1 identified, 2 monitoring, 3 resolved
    severity        INTEGER NOT NULL, -- 1 minor, 2 major, 3 critical
    since           INTEGER NOT NULL,
    opened          INTEGER NOT NULL,
    resolved        INTEGER,
    acknowledged_by TEXT,
    acknowledged    INTEGER,
    finding         TEXT NOT NULL,    -- JSON
    next_event      INTEGER NOT NULL
) STRICT;

CREATE INDEX incident_by_opened ON incident (opened);
CREATE INDEX incident_by_resolved ON incident (resolved);

CREATE TABLE incident_event (
    incident BLOB NOT NULL REFERENCES incident (id),
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    body     TEXT NOT NULL, -- JSON, by kind
    PRIMARY KEY (incident, seq)
) STRICT, WITHOUT ROWID;

-- One message owed to one receiver, worded once. Where it goes is in `delivery`.
CREATE TABLE notification (
    id         BLOB PRIMARY KEY CHECK (length(id) = 16),
    incident   BLOB NOT NULL REFERENCES incident (id),
    receiver   TEXT NOT NULL,
    kind       INTEGER NOT NULL, -- 1 opened, 2 worsened, 3 reminder, 4 resolved
    reason     TEXT NOT NULL,
    owed       INTEGER NOT NULL,
    subject    TEXT NOT NULL,
    text       TEXT NOT NULL,
    html       TEXT NOT NULL,
    message_id TEXT NOT NULL,
    thread     TEXT
) STRICT;

CREATE INDEX notification_by_incident ON notification (incident);

CREATE TABLE delivery (
    id           INTEGER PRIMARY KEY,
    notification BLOB NOT NULL REFERENCES notification (id),
    name         TEXT,
    address      TEXT NOT NULL,
    state        INTEGER NOT NULL, -- 0 owed, 1 accepted, 2 refused, 3 given up
    attempts     INTEGER NOT NULL,
    next_at      INTEGER NOT NULL,
    UNIQUE (notification, address)
) STRICT;

CREATE INDEX delivery_owed ON delivery (next_at) WHERE state = 0;

CREATE TABLE attempt (
    delivery INTEGER NOT NULL REFERENCES delivery (id),
    number   INTEGER NOT NULL, -- from 1
    at       INTEGER NOT NULL,
    outcome  INTEGER NOT NULL, -- 0 to be tried again, 1 accepted, 2 refused, 3 given up
    text     TEXT NOT NULL,
    next_at  INTEGER,
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

-- What operators ask of the daemon. The command line writes it; the daemon does it and answers.
CREATE TABLE action (
    id       INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    incident BLOB NOT NULL REFERENCES incident (id),
    kind     INTEGER NOT NULL, -- 1 acknowledge, 2 note, 3 resolve
    by       TEXT NOT NULL,
    text     TEXT NOT NULL,
    done_at  INTEGER,
    answer   TEXT
) STRICT;

CREATE INDEX action_pending ON action (id) WHERE done_at IS NULL;
