-- A database as Tripline 0.1.0 left it, killed in the middle of an outage: results, an open incident, and two mails that
-- no server has taken yet.
PRAGMA application_id = 1416784240;
PRAGMA user_version = 3;
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
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
CREATE TABLE address (
    key  INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO "address" VALUES(1,'127.0.0.1');
CREATE TABLE attempt (
    delivery INTEGER NOT NULL REFERENCES delivery (id),
    number   INTEGER NOT NULL, -- from 1
    at       INTEGER NOT NULL,
    outcome  INTEGER NOT NULL, -- 0 to be tried again, 1 accepted, 2 refused, 3 given up
    text     TEXT NOT NULL,
    next_at  INTEGER,
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;
INSERT INTO "attempt" VALUES(1,1,1796054204194,0,'Connection error: Connection refused (os error 111)',1796054208688);
INSERT INTO "attempt" VALUES(1,2,1796054208695,0,'Connection error: Connection refused (os error 111)',1796054217674);
INSERT INTO "attempt" VALUES(1,3,1796054217684,0,'Connection error: Connection refused (os error 111)',1796054234144);
INSERT INTO "attempt" VALUES(2,1,1796054204201,0,'Connection error: Connection refused (os error 111)',1796054208271);
INSERT INTO "attempt" VALUES(2,2,1796054208275,0,'Connection error: Connection refused (os error 111)',1796054217595);
INSERT INTO "attempt" VALUES(2,3,1796054217614,0,'Connection error: Connection refused (os error 111)',1796054234814);
CREATE TABLE delivery (
    id           INTEGER PRIMARY KEY,
    notification BLOB NOT NULL REFERENCES notification (id),
    name         TEXT,
    address      TEXT NOT NULL,
    state        INTEGER NOT NULL, -- 0 owed, 1 accepted, 2 refused, 3 given up
    attempts     INTEGER NOT NULL,
    next_at      INTEGER NOT NULL, receiver TEXT NOT NULL DEFAULT '', behind INTEGER REFERENCES delivery (id) ON DELETE SET NULL,
    UNIQUE (notification, address)
) STRICT;
INSERT INTO "delivery" VALUES(1,X'11633F1E676A5FF5AACEA8AC9CAC2329','On call','oncall@forge.example',0,3,1796054234144,'oncall',NULL);
INSERT INTO "delivery" VALUES(2,X'11633F1E676A5FF5AACEA8AC9CAC2329',NULL,'lead@forge.example',0,3,1796054234814,'oncall',NULL);
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
INSERT INTO "evidence" VALUES(52,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/globex/','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:43 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(56,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/api/globex','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:43 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(58,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/globex/','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:44 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(62,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/api/globex','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:44 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(64,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/globex/','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:45 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(68,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/api/globex','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:45 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(70,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/globex/','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:46 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(74,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/api/globex','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:46 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(76,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/globex/','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:47 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(80,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/api/globex','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:47 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(82,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/globex/','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:48 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(86,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/api/globex','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:48 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(142,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/globex/','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:58 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(146,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/api/globex','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:58 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(148,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/globex/','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:59 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(152,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/api/globex','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:56:59 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(154,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/globex/','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:57:00 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(158,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/api/globex','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:57:00 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(160,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/globex/','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:57:01 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(164,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/api/globex','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:57:01 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(166,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/globex/','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:57:02 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(170,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/api/globex','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:57:02 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(172,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/globex/','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:57:03 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(176,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/api/globex','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:57:03 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(178,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/globex/','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:57:04 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(182,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/api/globex','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:57:04 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(184,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/globex/','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:57:05 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
INSERT INTO "evidence" VALUES(188,'expected a 2xx status, status was 404 Not Found','GET http://127.0.0.1:18080/api/globex','127.0.0.1','[["server","BaseHTTP/0.6 Python/3.11.7"],["date","Mon, 30 Nov 2026 15:57:05 GMT"],["content-length","9"]]','[]',1,NULL,NULL,NULL,NULL);
CREATE TABLE evidence_body (
    key  INTEGER PRIMARY KEY,
    hash INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
INSERT INTO "evidence_body" VALUES(1,-8536280667893246941,'not here
');
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
INSERT INTO "incident" VALUES(X'D4ACAC8BE4CE5A9D95EE193620E6C7FB',0,2,1796054203149,1796054204158,NULL,NULL,NULL,'{"bad":3,"looked":7,"factor":{"label":"workspace","values":["globex"],"bad":3,"looked":3,"bad_elsewhere":0,"looked_elsewhere":4},"failure":"not_found","status":404,"components":["api","website"],"example":{"probe":"page[workspace=globex]","at":1796054204157,"request":"GET http://127.0.0.1:18080/globex/","fault":"expected a 2xx status, status was 404 Not Found"}}',5);
CREATE TABLE incident_event (
    incident BLOB NOT NULL REFERENCES incident (id),
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    body     TEXT NOT NULL, -- JSON, by kind
    PRIMARY KEY (incident, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO "incident_event" VALUES(X'D4ACAC8BE4CE5A9D95EE193620E6C7FB',0,1796054204158,'opened','{"breach":{"classes":["not_found"],"cleared":null,"cohorts":[["workspace","globex"]],"components":["api","website"],"found":1796054204157,"id":"ad33acc1-342b-598a-b7a4-301eccbf5245","labels":{},"probe":null,"reason":"3 of 7 checks bad in 1s; the rule: above 5% and at least 3 within 10s","rule":"spike","severity":"major","since":1796054203149},"finding":{"bad":3,"components":["api","website"],"example":{"at":1796054204157,"fault":"expected a 2xx status, status was 404 Not Found","probe":"page[workspace=globex]","request":"GET http://127.0.0.1:18080/globex/"},"factor":{"bad":3,"bad_elsewhere":0,"label":"workspace","looked":3,"looked_elsewhere":4,"values":["globex"]},"failure":"not_found","looked":7,"status":404}}');
INSERT INTO "incident_event" VALUES(X'D4ACAC8BE4CE5A9D95EE193620E6C7FB',1,1796054204158,'joined','{"breach":{"classes":["not_found"],"cleared":null,"cohorts":[["workspace","globex"]],"components":["api","website"],"found":1796054204157,"id":"49b72999-de4c-5613-9f23-ed9f626ef133","labels":{"workspace":"globex"},"probe":null,"reason":"3 of 3 checks bad in 1s; the rule: above 5% and at least 3 within 10s","rule":"spike","severity":"major","since":1796054203149},"reason":"3 of its 3 bad checks are of this incident"}');
INSERT INTO "incident_event" VALUES(X'D4ACAC8BE4CE5A9D95EE193620E6C7FB',2,1796054204158,'told','{"kind":"opened","notification":"11633f1e-676a-5ff5-aace-a8ac9cac2329","reason":"rule spike was breached and tells oncall","receiver":"oncall"}');
INSERT INTO "incident_event" VALUES(X'D4ACAC8BE4CE5A9D95EE193620E6C7FB',3,1796054205155,'joined','{"breach":{"classes":["not_found"],"cleared":null,"cohorts":[["workspace","globex"]],"components":["website"],"found":1796054205154,"id":"fe07c6c1-b0de-55f0-a399-5d17d203662c","labels":{"workspace":"globex"},"probe":"page[workspace=globex]","reason":"3 failures in a row in 2s; the rule: 3 in a row","rule":"down","severity":"major","since":1796054203149},"reason":"3 of its 3 bad checks are of this incident"}');
INSERT INTO "incident_event" VALUES(X'D4ACAC8BE4CE5A9D95EE193620E6C7FB',4,1796054205933,'joined','{"breach":{"classes":["not_found"],"cleared":null,"cohorts":[["workspace","globex"]],"components":["api"],"found":1796054205932,"id":"ff61320f-4649-5bac-90db-f63e24593d55","labels":{"workspace":"globex"},"probe":"list[workspace=globex]","reason":"3 failures in a row in 2s; the rule: 3 in a row","rule":"down","severity":"major","since":1796054203924},"reason":"3 of its 3 bad checks are of this incident"}');
CREATE TABLE location (
    key  INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO "location" VALUES(1,'local');
CREATE TABLE mark (
    minute       INTEGER PRIMARY KEY,
    first_result INTEGER NOT NULL
) STRICT;
INSERT INTO "mark" VALUES(29934236,1);
INSERT INTO "mark" VALUES(29934237,154);
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
INSERT INTO "notification" VALUES(X'11633F1E676A5FF5AACEA8AC9CAC2329',X'D4ACAC8BE4CE5A9D95EE193620E6C7FB','oncall',1,'rule spike was breached and tells oncall',1796054204158,'[Forge] MAJOR: 404 Not Found for workspace=globex on Website, API','404 Not Found for workspace=globex (3 of 3 checks) on Website, API; every other workspace: 0 of 4.

Severity  major
Since     2026-11-30 15:56:43 UTC, 1s before this message
How sure  likely: 3 of 3 bad checks fell on workspace=globex, which had 3 of 7 checks; by accident at most once in 35
Rule      spike, for workspace=globex: 3 of 3 checks bad in 1s; the rule: above 5% and at least 3 within 10s

Evidence  GET http://127.0.0.1:18080/globex/
          expected a 2xx status, status was 404 Not Found
          probe page, workspace=globex, at 2026-11-30 15:56:44 UTC

You get this because rule spike was breached and tells oncall.

Take it on:  tripline incident ack d4acac8b
See it all:  tripline incident show d4acac8b
','<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"></head>
<body style="margin:0;padding:16px;background:#f4f4f2;color:#1c1c1a;font:16px/1.45 system-ui,-apple-system,''Segoe UI'',Roboto,sans-serif">
<div style="max-width:640px;margin:0 auto;background:#fff;border:1px solid #d9d9d4;border-top:6px solid #b3261e;padding:20px">
<p style="margin:0 0 6px;color:#b3261e;font-size:13px;font-weight:600;letter-spacing:.06em;text-transform:uppercase">Forge · major incident opened</p>
<p style="margin:0 0 16px;font-size:18px;line-height:1.35;font-weight:600;overflow-wrap:anywhere">404 Not Found for workspace=globex (3 of 3 checks) on Website, API; every other workspace: 0 of 4.</p>
<table role="presentation" style="border-collapse:collapse;width:100%;font-size:15px">
<tr><td style="padding:3px 14px 3px 0;vertical-align:top;color:#62625c;white-space:nowrap">Severity</td><td style="padding:3px 0;vertical-align:top;overflow-wrap:anywhere">major</td></tr>
<tr><td style="padding:3px 14px 3px 0;vertical-align:top;color:#62625c;white-space:nowrap">Since</td><td style="padding:3px 0;vertical-align:top;overflow-wrap:anywhere">2026-11-30 15:56:43 UTC, 1s before this message</td></tr>
<tr><td style="padding:3px 14px 3px 0;vertical-align:top;color:#62625c;white-space:nowrap">How sure</td><td style="padding:3px 0;vertical-align:top;overflow-wrap:anywhere">likely: 3 of 3 bad checks fell on workspace=globex, which had 3 of 7 checks; by accident at most once in 35</td></tr>
<tr><td style="padding:3px 14px 3px 0;vertical-align:top;color:#62625c;white-space:nowrap">Rule</td><td style="padding:3px 0;vertical-align:top;overflow-wrap:anywhere">spike, for workspace=globex: 3 of 3 checks bad in 1s; the rule: above 5% and at least 3 within 10s</td></tr>
</table>
<p style="margin:16px 0 4px;color:#62625c;font-size:15px">Evidence, one of the failed checks</p>
<pre style="margin:0;padding:12px;background:#f4f4f2;font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere">GET http://127.0.0.1:18080/globex/
expected a 2xx status, status was 404 Not Found
probe page, workspace=globex, at 2026-11-30 15:56:44 UTC</pre>
<p style="margin:16px 0 0">You get this because rule spike was breached and tells oncall.</p>
<p style="margin:16px 0 0;font-size:15px">Take it on: <span style="font:14px ui-monospace,Menlo,Consolas,monospace">tripline incident ack d4acac8b</span></p>
<p style="margin:6px 0 0;font-size:15px">See it all: <span style="font:14px ui-monospace,Menlo,Consolas,monospace">tripline incident show d4acac8b</span></p>
</div>
</body>
</html>','e9e2cd70-df3a-5b95-b7b6-132737403897',NULL);
CREATE TABLE probe (
    key INTEGER PRIMARY KEY,
    id  TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO "probe" VALUES(1,'list[workspace=initech]');
INSERT INTO "probe" VALUES(2,'list[workspace=globex]');
INSERT INTO "probe" VALUES(3,'page[workspace=initech]');
INSERT INTO "probe" VALUES(4,'page[workspace=globex]');
INSERT INTO "probe" VALUES(5,'list[workspace=acme]');
INSERT INTO "probe" VALUES(6,'page[workspace=acme]');
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
, address INTEGER, expires INTEGER) STRICT;
INSERT INTO "result" VALUES(1,1,1,1796054194851,0,200,NULL,8969,NULL,16109,93,26243,1,NULL);
INSERT INTO "result" VALUES(2,2,1,1796054194920,0,200,NULL,456,NULL,1942,307,3298,1,NULL);
INSERT INTO "result" VALUES(3,3,1,1796054194976,0,200,NULL,4377,NULL,1676,64,6709,1,NULL);
INSERT INTO "result" VALUES(4,4,1,1796054195156,0,200,NULL,784,NULL,1369,44,2647,1,NULL);
INSERT INTO "result" VALUES(5,5,1,1796054195619,0,200,NULL,507,NULL,1724,50,2897,1,NULL);
INSERT INTO "result" VALUES(6,6,1,1796054195650,0,200,NULL,7696,NULL,1586,57,9880,1,NULL);
INSERT INTO "result" VALUES(7,1,1,1796054195850,0,200,NULL,381,NULL,1899,3435,6245,1,NULL);
INSERT INTO "result" VALUES(8,2,1,1796054195923,0,200,NULL,429,NULL,8897,72,9997,1,NULL);
INSERT INTO "result" VALUES(9,3,1,1796054195976,0,200,NULL,406,NULL,8688,67,9750,1,NULL);
INSERT INTO "result" VALUES(10,4,1,1796054196145,0,200,NULL,6602,NULL,10321,81,17514,1,NULL);
INSERT INTO "result" VALUES(11,5,1,1796054196620,0,200,NULL,353,NULL,5658,55,6544,1,NULL);
INSERT INTO "result" VALUES(12,6,1,1796054196649,0,200,NULL,6812,NULL,3896,65,11230,1,NULL);
INSERT INTO "result" VALUES(13,1,1,1796054196850,0,200,NULL,2824,NULL,17567,67,20976,1,NULL);
INSERT INTO "result" VALUES(14,2,1,1796054196928,0,200,NULL,440,NULL,4499,79,5648,1,NULL);
INSERT INTO "result" VALUES(15,3,1,1796054196979,0,200,NULL,9348,NULL,2799,73,12784,1,NULL);
INSERT INTO "result" VALUES(16,4,1,1796054197148,0,200,NULL,3499,NULL,8698,104,12831,1,NULL);
INSERT INTO "result" VALUES(17,5,1,1796054197618,0,200,NULL,13415,NULL,1728,62,15733,1,NULL);
INSERT INTO "result" VALUES(18,6,1,1796054197652,0,200,NULL,426,NULL,4595,69,5627,1,NULL);
INSERT INTO "result" VALUES(19,1,1,1796054197864,0,200,NULL,389,NULL,22021,71,23039,1,NULL);
INSERT INTO "result" VALUES(20,2,1,1796054197921,0,200,NULL,444,NULL,19188,686,20931,1,NULL);
INSERT INTO "result" VALUES(21,3,1,1796054197974,0,200,NULL,1094,NULL,1416,85,3115,1,NULL);
INSERT INTO "result" VALUES(22,4,1,1796054198143,0,200,NULL,1144,NULL,1275,51,3070,1,NULL);
INSERT INTO "result" VALUES(23,5,1,1796054198620,0,200,NULL,7332,NULL,4266,68,12234,1,NULL);
INSERT INTO "result" VALUES(24,6,1,1796054198652,0,200,NULL,669,NULL,15234,79,16574,1,NULL);
INSERT INTO "result" VALUES(25,1,1,1796054198851,0,200,NULL,7441,NULL,14114,77,22238,1,NULL);
INSERT INTO "result" VALUES(26,2,1,1796054198921,0,200,NULL,1115,NULL,1403,51,3175,1,NULL);
INSERT INTO "result" VALUES(27,3,1,1796054198974,0,200,NULL,1103,NULL,1278,48,2971,1,NULL);
INSERT INTO "result" VALUES(28,4,1,1796054199152,0,200,NULL,15617,NULL,8320,60,24443,1,NULL);
INSERT INTO "result" VALUES(29,5,1,1796054199620,0,200,NULL,429,NULL,8733,71,9778,1,NULL);
INSERT INTO "result" VALUES(30,6,1,1796054199652,0,200,NULL,359,NULL,7572,71,8506,1,NULL);
INSERT INTO "result" VALUES(31,1,1,1796054199850,0,200,NULL,411,NULL,1694,50,2644,1,NULL);
INSERT INTO "result" VALUES(32,2,1,1796054199928,0,200,NULL,388,NULL,4569,63,5517,1,NULL);
INSERT INTO "result" VALUES(33,3,1,1796054199976,0,200,NULL,424,NULL,3655,66,4705,1,NULL);
INSERT INTO "result" VALUES(34,4,1,1796054200148,0,200,NULL,413,NULL,11611,84,12648,1,NULL);
INSERT INTO "result" VALUES(35,5,1,1796054200620,0,200,NULL,405,NULL,27570,78,28743,1,NULL);
INSERT INTO "result" VALUES(36,6,1,1796054200656,0,200,NULL,3496,NULL,20614,83,24781,1,NULL);
INSERT INTO "result" VALUES(37,1,1,1796054200851,0,200,NULL,1263,NULL,1595,68,3510,1,NULL);
INSERT INTO "result" VALUES(38,2,1,1796054200928,0,200,NULL,1053,NULL,1527,9604,12808,1,NULL);
INSERT INTO "result" VALUES(39,3,1,1796054200976,0,200,NULL,11520,NULL,25384,73,37531,1,NULL);
INSERT INTO "result" VALUES(40,4,1,1796054201145,0,200,NULL,435,NULL,23042,64,24098,1,NULL);
INSERT INTO "result" VALUES(41,5,1,1796054201620,0,200,NULL,6132,NULL,1710,65,8462,1,NULL);
INSERT INTO "result" VALUES(42,6,1,1796054201652,0,200,NULL,3491,NULL,5557,71,9645,1,NULL);
INSERT INTO "result" VALUES(43,1,1,1796054201851,0,200,NULL,420,NULL,6478,78,7487,1,NULL);
INSERT INTO "result" VALUES(44,2,1,1796054201924,0,200,NULL,363,NULL,4495,60,5442,1,NULL);
INSERT INTO "result" VALUES(45,3,1,1796054201975,0,200,NULL,4607,NULL,1609,89,6901,1,NULL);
INSERT INTO "result" VALUES(46,4,1,1796054202156,0,200,NULL,346,NULL,4550,72,5423,1,NULL);
INSERT INTO "result" VALUES(47,5,1,1796054202618,0,200,NULL,5696,NULL,1361,56,7557,1,NULL);
INSERT INTO "result" VALUES(48,6,1,1796054202652,0,200,NULL,3888,NULL,1198,54,5611,1,NULL);
INSERT INTO "result" VALUES(49,1,1,1796054202858,0,200,NULL,1011,NULL,5442,79,7159,1,NULL);
INSERT INTO "result" VALUES(50,2,1,1796054202932,0,200,NULL,423,NULL,16154,71,17259,1,NULL);
INSERT INTO "result" VALUES(51,3,1,1796054202976,0,200,NULL,3637,NULL,1448,50,5690,1,NULL);
INSERT INTO "result" VALUES(52,4,1,1796054203145,1,404,NULL,333,NULL,3465,238,4648,1,NULL);
INSERT INTO "result" VALUES(53,5,1,1796054203617,0,200,NULL,2674,NULL,24650,76,27850,1,NULL);
INSERT INTO "result" VALUES(54,6,1,1796054203648,0,200,NULL,735,NULL,1214,44,2368,1,NULL);
INSERT INTO "result" VALUES(55,1,1,1796054203856,0,200,NULL,316,NULL,1436,268,2481,1,NULL);
INSERT INTO "result" VALUES(56,2,1,1796054203921,1,404,NULL,1189,NULL,1805,72,3755,1,NULL);
INSERT INTO "result" VALUES(57,3,1,1796054203976,0,200,NULL,20288,NULL,20390,62,41264,1,NULL);
INSERT INTO "result" VALUES(58,4,1,1796054204145,1,404,NULL,425,NULL,10745,785,12593,1,NULL);
INSERT INTO "result" VALUES(59,5,1,1796054204619,0,200,NULL,366,NULL,13372,69,14249,1,NULL);
INSERT INTO "result" VALUES(60,6,1,1796054204660,0,200,NULL,368,NULL,11256,68,12196,1,NULL);
INSERT INTO "result" VALUES(61,1,1,1796054204850,0,200,NULL,332,NULL,9833,488,11124,1,NULL);
INSERT INTO "result" VALUES(62,2,1,1796054204929,1,404,NULL,327,NULL,18663,85,19734,1,NULL);
INSERT INTO "result" VALUES(63,3,1,1796054204977,0,200,NULL,325,NULL,9932,107,10823,1,NULL);
INSERT INTO "result" VALUES(64,4,1,1796054205144,1,404,NULL,337,NULL,9612,63,10610,1,NULL);
INSERT INTO "result" VALUES(65,5,1,1796054205617,0,200,NULL,366,NULL,6552,71,7497,1,NULL);
INSERT INTO "result" VALUES(66,6,1,1796054205650,0,200,NULL,386,NULL,8002,71,8937,1,NULL);
INSERT INTO "result" VALUES(67,1,1,1796054205852,0,200,NULL,324,NULL,1275,42,2082,1,NULL);
INSERT INTO "result" VALUES(68,2,1,1796054205924,1,404,NULL,476,NULL,7402,73,8646,1,NULL);
INSERT INTO "result" VALUES(69,3,1,1796054205983,0,200,NULL,13384,NULL,10424,93,24566,1,NULL);
INSERT INTO "result" VALUES(70,4,1,1796054206152,1,404,NULL,419,NULL,11567,83,12812,1,NULL);
INSERT INTO "result" VALUES(71,5,1,1796054206624,0,200,NULL,344,NULL,20435,598,21859,1,NULL);
INSERT INTO "result" VALUES(72,6,1,1796054206649,0,200,NULL,368,NULL,1440,324,2544,1,NULL);
INSERT INTO "result" VALUES(73,1,1,1796054206854,0,200,NULL,10187,NULL,1344,57,12065,1,NULL);
INSERT INTO "result" VALUES(74,2,1,1796054206920,1,404,NULL,389,NULL,19476,66,20654,1,NULL);
INSERT INTO "result" VALUES(75,3,1,1796054206976,0,200,NULL,7902,NULL,13215,61,21642,1,NULL);
INSERT INTO "result" VALUES(76,4,1,1796054207148,1,404,NULL,339,NULL,51771,75,52854,1,NULL);
INSERT INTO "result" VALUES(77,5,1,1796054207628,0,200,NULL,378,NULL,1830,54,2780,1,NULL);
INSERT INTO "result" VALUES(78,6,1,1796054207649,0,200,NULL,2539,NULL,3064,58,6179,1,NULL);
INSERT INTO "result" VALUES(79,1,1,1796054207860,0,200,NULL,962,NULL,1230,536,3264,1,NULL);
INSERT INTO "result" VALUES(80,2,1,1796054207922,1,404,NULL,368,NULL,1796,59,2898,1,NULL);
INSERT INTO "result" VALUES(81,3,1,1796054207976,0,200,NULL,415,NULL,7748,68,8708,1,NULL);
INSERT INTO "result" VALUES(82,4,1,1796054208144,1,404,NULL,368,NULL,1812,50,2844,1,NULL);
INSERT INTO "result" VALUES(83,5,1,1796054208624,0,200,NULL,2910,NULL,1764,60,5265,1,NULL);
INSERT INTO "result" VALUES(84,6,1,1796054208650,0,200,NULL,5133,NULL,1630,63,7357,1,NULL);
INSERT INTO "result" VALUES(85,1,1,1796054208850,0,200,NULL,376,NULL,7356,64,8342,1,NULL);
INSERT INTO "result" VALUES(86,2,1,1796054208924,1,404,NULL,3531,NULL,1599,56,5837,1,NULL);
INSERT INTO "result" VALUES(87,3,1,1796054208980,0,200,NULL,3781,NULL,1837,59,6193,1,NULL);
INSERT INTO "result" VALUES(88,4,1,1796054209145,0,200,NULL,3546,NULL,3979,64,8070,1,NULL);
INSERT INTO "result" VALUES(89,5,1,1796054209618,0,200,NULL,676,NULL,1258,44,2435,1,NULL);
INSERT INTO "result" VALUES(90,6,1,1796054209660,0,200,NULL,683,NULL,4175,53,5328,1,NULL);
INSERT INTO "result" VALUES(91,1,1,1796054209852,0,200,NULL,338,NULL,13822,66,14733,1,NULL);
INSERT INTO "result" VALUES(92,2,1,1796054209926,0,200,NULL,324,NULL,5419,59,6234,1,NULL);
INSERT INTO "result" VALUES(93,3,1,1796054209980,0,200,NULL,310,NULL,3351,93,4280,1,NULL);
INSERT INTO "result" VALUES(94,4,1,1796054210156,0,200,NULL,341,NULL,33799,85,34698,1,NULL);
INSERT INTO "result" VALUES(95,5,1,1796054210625,0,200,NULL,418,NULL,6770,71,7798,1,NULL);
INSERT INTO "result" VALUES(96,6,1,1796054210652,0,200,NULL,453,NULL,1496,51,2617,1,NULL);
INSERT INTO "result" VALUES(97,1,1,1796054210850,0,200,NULL,308,NULL,6425,560,7748,1,NULL);
INSERT INTO "result" VALUES(98,2,1,1796054210930,0,200,NULL,341,NULL,1787,53,2615,1,NULL);
INSERT INTO "result" VALUES(99,3,1,1796054210980,0,200,NULL,3735,NULL,1129,68,5377,1,NULL);
INSERT INTO "result" VALUES(100,4,1,1796054211145,0,200,NULL,1000,NULL,4887,73,6448,1,NULL);
INSERT INTO "result" VALUES(101,5,1,1796054211617,0,200,NULL,2701,NULL,55882,54,59164,1,NULL);
INSERT INTO "result" VALUES(102,6,1,1796054211676,0,200,NULL,341,NULL,24995,58,27065,1,NULL);
INSERT INTO "result" VALUES(103,1,1,1796054211851,0,200,NULL,337,NULL,9135,64,9978,1,NULL);
INSERT INTO "result" VALUES(104,2,1,1796054211926,0,200,NULL,338,NULL,5838,59,6673,1,NULL);
INSERT INTO "result" VALUES(105,3,1,1796054211988,0,200,NULL,355,NULL,14170,63,15088,1,NULL);
INSERT INTO "result" VALUES(106,4,1,1796054212150,0,200,NULL,362,NULL,38804,72,39708,1,NULL);
INSERT INTO "result" VALUES(107,5,1,1796054212618,0,200,NULL,334,NULL,10210,66,11135,1,NULL);
INSERT INTO "result" VALUES(108,6,1,1796054212650,0,200,NULL,357,NULL,7228,62,8124,1,NULL);
INSERT INTO "result" VALUES(109,1,1,1796054212850,0,200,NULL,371,NULL,6581,65,7537,1,NULL);
INSERT INTO "result" VALUES(110,2,1,1796054212923,0,200,NULL,766,NULL,13237,61,14703,1,NULL);
INSERT INTO "result" VALUES(111,3,1,1796054212976,0,200,NULL,346,NULL,12274,67,13140,1,NULL);
INSERT INTO "result" VALUES(112,4,1,1796054213148,0,200,NULL,357,NULL,7492,64,8390,1,NULL);
INSERT INTO "result" VALUES(113,5,1,1796054213624,0,200,NULL,345,NULL,12142,14094,27017,1,NULL);
INSERT INTO "result" VALUES(114,6,1,1796054213650,0,200,NULL,964,NULL,5733,94,7293,1,NULL);
INSERT INTO "result" VALUES(115,1,1,1796054213860,0,200,NULL,376,NULL,27680,68,28653,1,NULL);
INSERT INTO "result" VALUES(116,2,1,1796054213924,0,200,NULL,471,NULL,15654,88,16782,1,NULL);
INSERT INTO "result" VALUES(117,3,1,1796054213988,0,200,NULL,520,NULL,15337,66,16543,1,NULL);
INSERT INTO "result" VALUES(118,4,1,1796054214160,0,200,NULL,444,NULL,11312,69,12503,1,NULL);
INSERT INTO "result" VALUES(119,5,1,1796054214628,0,200,NULL,424,NULL,9789,85,10803,1,NULL);
INSERT INTO "result" VALUES(120,6,1,1796054214648,0,200,NULL,477,NULL,9748,751,15677,1,NULL);
INSERT INTO "result" VALUES(121,1,1,1796054214856,0,200,NULL,430,NULL,4379,64,5373,1,NULL);
INSERT INTO "result" VALUES(122,2,1,1796054214924,0,200,NULL,356,NULL,12287,66,13210,1,NULL);
INSERT INTO "result" VALUES(123,3,1,1796054214988,0,200,NULL,457,NULL,7582,74,8625,1,NULL);
INSERT INTO "result" VALUES(124,4,1,1796054215160,0,200,NULL,312,NULL,19683,63,20508,1,NULL);
INSERT INTO "result" VALUES(125,5,1,1796054215624,0,200,NULL,342,NULL,3381,52,4227,1,NULL);
INSERT INTO "result" VALUES(126,6,1,1796054215649,0,200,NULL,368,NULL,31489,65,32454,1,NULL);
INSERT INTO "result" VALUES(127,1,1,1796054215856,0,200,NULL,7618,NULL,16457,62,24636,1,NULL);
INSERT INTO "result" VALUES(128,2,1,1796054215921,0,200,NULL,1178,NULL,1295,54,3064,1,NULL);
INSERT INTO "result" VALUES(129,3,1,1796054215976,0,200,NULL,985,NULL,1108,52,2646,1,NULL);
INSERT INTO "result" VALUES(130,4,1,1796054216145,0,200,NULL,774,NULL,15589,59,16903,1,NULL);
INSERT INTO "result" VALUES(131,5,1,1796054216618,0,200,NULL,472,NULL,6705,70,7845,1,NULL);
INSERT INTO "result" VALUES(132,6,1,1796054216660,0,200,NULL,381,NULL,7607,79,8624,1,NULL);
INSERT INTO "result" VALUES(133,1,1,1796054216856,0,200,NULL,363,NULL,11436,70,12425,1,NULL);
INSERT INTO "result" VALUES(134,2,1,1796054216924,0,200,NULL,296,NULL,1230,39,2124,1,NULL);
INSERT INTO "result" VALUES(135,3,1,1796054216974,0,200,NULL,407,NULL,5200,79,6280,1,NULL);
INSERT INTO "result" VALUES(136,4,1,1796054217148,0,200,NULL,383,NULL,3138,50,4172,1,NULL);
INSERT INTO "result" VALUES(137,5,1,1796054217620,0,200,NULL,259,NULL,2144,226,3045,1,NULL);
INSERT INTO "result" VALUES(138,6,1,1796054217656,0,200,NULL,320,NULL,7906,641,9562,1,NULL);
INSERT INTO "result" VALUES(139,1,1,1796054217850,0,200,NULL,366,NULL,6471,69,7430,1,NULL);
INSERT INTO "result" VALUES(140,2,1,1796054217925,0,200,NULL,2673,NULL,3680,68,6881,1,NULL);
INSERT INTO "result" VALUES(141,3,1,1796054217979,0,200,NULL,933,NULL,4285,86,5730,1,NULL);
INSERT INTO "result" VALUES(142,4,1,1796054218144,1,404,NULL,326,NULL,4401,68,5419,1,NULL);
INSERT INTO "result" VALUES(143,5,1,1796054218624,0,200,NULL,3496,NULL,1179,47,5174,1,NULL);
INSERT INTO "result" VALUES(144,6,1,1796054218656,0,200,NULL,361,NULL,7630,60,8991,1,NULL);
INSERT INTO "result" VALUES(145,1,1,1796054218855,0,200,NULL,5162,NULL,4294,55,9970,1,NULL);
INSERT INTO "result" VALUES(146,2,1,1796054218932,1,404,NULL,324,NULL,8472,97,9544,1,NULL);
INSERT INTO "result" VALUES(147,3,1,1796054218978,0,200,NULL,4386,NULL,5927,501,11259,1,NULL);
INSERT INTO "result" VALUES(148,4,1,1796054219150,1,404,NULL,634,NULL,5829,57,7144,1,NULL);
INSERT INTO "result" VALUES(149,5,1,1796054219619,0,200,NULL,5603,NULL,3704,77,9809,1,NULL);
INSERT INTO "result" VALUES(150,6,1,1796054219649,0,200,NULL,346,NULL,6244,61,7149,1,NULL);
INSERT INTO "result" VALUES(151,1,1,1796054219852,0,200,NULL,319,NULL,9946,59,10821,1,NULL);
INSERT INTO "result" VALUES(152,2,1,1796054219925,1,404,NULL,2932,NULL,4746,53,8276,1,NULL);
INSERT INTO "result" VALUES(153,3,1,1796054219975,0,200,NULL,7552,NULL,1192,52,13409,1,NULL);
INSERT INTO "result" VALUES(154,4,1,1796054220145,1,404,NULL,2203,NULL,8785,62,11658,1,NULL);
INSERT INTO "result" VALUES(155,5,1,1796054220619,0,200,NULL,709,NULL,910,804,2846,1,NULL);
INSERT INTO "result" VALUES(156,6,1,1796054220652,0,200,NULL,4050,NULL,2606,416,7518,1,NULL);
INSERT INTO "result" VALUES(157,1,1,1796054220864,0,200,NULL,3577,NULL,1250,50,5362,1,NULL);
INSERT INTO "result" VALUES(158,2,1,1796054220926,1,404,NULL,5501,NULL,1245,49,7457,1,NULL);
INSERT INTO "result" VALUES(159,3,1,1796054220980,0,200,NULL,352,NULL,7633,69,8538,1,NULL);
INSERT INTO "result" VALUES(160,4,1,1796054221150,1,404,NULL,311,NULL,5561,90,6580,1,NULL);
INSERT INTO "result" VALUES(161,5,1,1796054221620,0,200,NULL,3795,NULL,4024,81,8355,1,NULL);
INSERT INTO "result" VALUES(162,6,1,1796054221650,0,200,NULL,308,NULL,7685,58,8480,1,NULL);
INSERT INTO "result" VALUES(163,1,1,1796054221850,0,200,NULL,8303,NULL,1698,64,10648,1,NULL);
INSERT INTO "result" VALUES(164,2,1,1796054221921,1,404,NULL,7847,NULL,4457,103,13112,1,NULL);
INSERT INTO "result" VALUES(165,3,1,1796054221980,0,200,NULL,7705,NULL,3860,97,12235,1,NULL);
INSERT INTO "result" VALUES(166,4,1,1796054222148,1,404,NULL,307,NULL,4113,58,5099,1,NULL);
INSERT INTO "result" VALUES(167,5,1,1796054222623,0,200,NULL,402,NULL,5818,59,6719,1,NULL);
INSERT INTO "result" VALUES(168,6,1,1796054222659,0,200,NULL,302,NULL,6065,58,6889,1,NULL);
INSERT INTO "result" VALUES(169,1,1,1796054222852,0,200,NULL,332,NULL,8670,59,9541,1,NULL);
INSERT INTO "result" VALUES(170,2,1,1796054222928,1,404,NULL,1402,NULL,6074,94,8354,1,NULL);
INSERT INTO "result" VALUES(171,3,1,1796054222976,0,200,NULL,8444,NULL,2927,77,11917,1,NULL);
INSERT INTO "result" VALUES(172,4,1,1796054223148,1,404,NULL,7911,NULL,3896,98,12530,1,NULL);
INSERT INTO "result" VALUES(173,5,1,1796054223618,0,200,NULL,9702,NULL,1403,50,11609,1,NULL);
INSERT INTO "result" VALUES(174,6,1,1796054223656,0,200,NULL,6501,NULL,3460,62,10489,1,NULL);
INSERT INTO "result" VALUES(175,1,1,1796054223854,0,200,NULL,5364,NULL,4489,65,10404,1,NULL);
INSERT INTO "result" VALUES(176,2,1,1796054223929,1,404,NULL,882,NULL,1018,40,2511,1,NULL);
INSERT INTO "result" VALUES(177,3,1,1796054223979,0,200,NULL,375,NULL,5947,2120,8989,1,NULL);
INSERT INTO "result" VALUES(178,4,1,1796054224152,1,404,NULL,318,NULL,7600,64,8609,1,NULL);
INSERT INTO "result" VALUES(179,5,1,1796054224619,0,200,NULL,362,NULL,9095,67,9958,1,NULL);
INSERT INTO "result" VALUES(180,6,1,1796054224650,0,200,NULL,318,NULL,6779,62,7604,1,NULL);
INSERT INTO "result" VALUES(181,1,1,1796054224856,0,200,NULL,355,NULL,4341,59,5235,1,NULL);
INSERT INTO "result" VALUES(182,2,1,1796054224920,1,404,NULL,7790,NULL,4132,59,12605,1,NULL);
INSERT INTO "result" VALUES(183,3,1,1796054224980,0,200,NULL,9160,NULL,7041,67,16762,1,NULL);
INSERT INTO "result" VALUES(184,4,1,1796054225148,1,404,NULL,311,NULL,4185,55,5120,1,NULL);
INSERT INTO "result" VALUES(185,5,1,1796054225620,0,200,NULL,394,NULL,7569,74,8540,1,NULL);
INSERT INTO "result" VALUES(186,6,1,1796054225654,0,200,NULL,744,NULL,5053,76,6360,1,NULL);
INSERT INTO "result" VALUES(187,1,1,1796054225860,0,200,NULL,912,NULL,1179,40,2578,1,NULL);
INSERT INTO "result" VALUES(188,2,1,1796054225932,1,404,NULL,1260,NULL,1205,57,3276,1,NULL);
INSERT INTO "result" VALUES(189,3,1,1796054225984,0,200,NULL,677,NULL,1172,42,2346,1,NULL);
CREATE INDEX result_unwell ON result (probe, id) WHERE outcome <> 0;
CREATE INDEX evidence_body_by_hash ON evidence_body (hash);
CREATE INDEX incident_by_opened ON incident (opened);
CREATE INDEX incident_by_resolved ON incident (resolved);
CREATE INDEX notification_by_incident ON notification (incident);
CREATE INDEX action_pending ON action (id) WHERE done_at IS NULL;
CREATE INDEX delivery_due ON delivery (receiver, next_at, id) WHERE state = 0 AND behind IS NULL;
CREATE INDEX delivery_next ON delivery (next_at) WHERE state = 0 AND behind IS NULL;
CREATE INDEX delivery_behind ON delivery (behind) WHERE behind IS NOT NULL;
COMMIT;
