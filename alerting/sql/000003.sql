-- An alert that is renewed changes its end each minute: with an index on it each renewal was a new entry in every index.
-- What ended is found by reading on from fingerprint to fingerprint (rows/forget.ts).
drop index alerting.alerts_ended;

-- Compared as bytes, whatever the language of the database: every alert is looked up some six times when it comes.
alter table alerting.alerts alter column fingerprint type text collate "C";
alter table alerting.members alter column fingerprint type text collate "C", alter column group_id type text collate "C";
alter table alerting.groups alter column id type text collate "C";

-- By which files it is judged, and how long whoever has them is taken to be there: routers with other files leave it alone.
alter table alerting.heartbeats add column config text, add column held_until timestamptz;
