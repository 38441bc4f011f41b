-- Everything the router knows. A row is there as soon as its sender was answered 2xx. Times are given by the caller.
create schema if not exists alerting;

-- What fires, and what has ended lately.
create table alerting.alerts (
  fingerprint text primary key,
  -- json: nothing in SQL looks inside, and text is cheaper to take and to give back.
  labels json not null,
  annotations json not null,
  generator_url text not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  -- It came without an end; ends_at is when it will be missed.
  timeout boolean not null,
  updated_at timestamptz not null,
  -- When this occurrence first came: what detection and delivery are measured from.
  received_at timestamptz not null,
  -- The configuration by which its groups and keys were found.
  config text not null,
  -- Under these keys it inhibits others while it fires.
  inhibits text[] not null
);
create index alerts_inhibiting on alerting.alerts using gin (inhibits) where inhibits <> '{}';
create index alerts_ended on alerting.alerts (ends_at);

-- Alerts that are told together: a route and the values of its group_by labels.
create table alerting.groups (
  id text primary key,
  route_id text not null,
  receiver text not null,
  key text not null,
  labels jsonb not null,
  due_at timestamptz not null,
  flushed_at timestamptz,
  told_at timestamptz,
  -- How many were in it at the last look.
  size int not null default 0
);
create index groups_due on alerting.groups (due_at);

-- No foreign keys: two checks a row would be half of the intake's cost. That neither is dropped while somebody joins is held
-- by locks (rows/alerts.ts).
create table alerting.members (
  group_id text not null,
  fingerprint text not null,
  joined_at timestamptz not null,
  -- What was last said of it here.
  told text check (told = 'firing'),
  primary key (group_id, fingerprint)
);
create index members_of_alert on alerting.members (fingerprint);

create table alerting.silences (
  id text primary key,
  matchers jsonb not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  created_by text not null,
  comment text not null,
  annotations jsonb not null default '{}',
  updated_at timestamptz not null
);
create index silences_ends on alerting.silences (ends_at);

create table alerting.incidents (
  id text primary key,
  number bigint generated always as identity unique,
  group_id text not null,
  receiver text not null,
  policy text not null,
  -- Warnings are a record of their own beside the critical one of the same group.
  severity text not null check (severity in ('critical', 'warning')),
  state text not null check (state in ('open', 'acknowledged', 'snoozed', 'resolved')),
  title text not null,
  service text not null,
  objective text,
  drill boolean not null default false,
  opened_at timestamptz not null,
  acknowledged_at timestamptz,
  acknowledged_by text,
  snoozed_until timestamptz,
  resolved_at timestamptz,
  resolved_by text,
  -- The step that is next, and how many rounds are done.
  step int not null,
  round int not null,
  due_at timestamptz,
  alerts int not null,
  -- Destinations that were told, in order: they are told of the end too.
  told jsonb not null default '[]',
  -- What the last message said, for those that follow.
  message jsonb not null,
  updated_at timestamptz not null
);
create unique index incidents_unresolved on alerting.incidents (group_id, severity) where state <> 'resolved';
create index incidents_due on alerting.incidents (due_at) where due_at is not null;
create index incidents_updated on alerting.incidents (updated_at);
create index incidents_resolved on alerting.incidents (resolved_at) where resolved_at is not null;

-- Every decision with its reason. Append-only.
create table alerting.timeline (
  id bigint generated always as identity primary key,
  incident_id text,
  group_id text,
  at timestamptz not null,
  kind text not null,
  because text not null,
  actor text,
  fields jsonb not null default '{}'
);
create index timeline_of_incident on alerting.timeline (incident_id, id);
create index timeline_at on alerting.timeline (at);

-- The outbox: written by the transaction that decided it, sent after.
create table alerting.notifications (
  id text primary key,
  -- `receiver/name/slack[0]` or `person/name/email[0]`: looked up when it is sent, so that no secret is stored.
  destination text not null,
  channel text not null check (channel in ('slack', 'email', 'pagerduty', 'webhook')),
  incident_id text,
  group_id text not null,
  action text not null,
  -- 0 goes first.
  priority smallint not null,
  state text not null check (state in ('pending', 'sending', 'delivered', 'refused', 'superseded')),
  attempts int not null default 0,
  may_repeat boolean not null default false,
  message jsonb not null,
  created_at timestamptz not null,
  available_at timestamptz not null,
  owner text,
  lease_until timestamptz,
  fence bigint not null default 0,
  finished_at timestamptz,
  reference text,
  error text
);
create index notifications_waiting on alerting.notifications (priority, available_at) where state in ('pending', 'sending');
create index notifications_of_incident on alerting.notifications (incident_id, id);
create index notifications_of_group on alerting.notifications (group_id, destination, id);
create index notifications_finished on alerting.notifications (finished_at) where finished_at is not null;

-- Pacing: when a destination may be written to again.
create table alerting.destinations (
  name text primary key,
  next_at timestamptz not null
);

-- Small things that all routers share: the signing key, the configuration in force, when a router was last alive.
create table alerting.facts (
  name text primary key,
  value jsonb not null,
  updated_at timestamptz not null
);

-- What the watch knows, as one image: the ledgers, what the detector believes, what was said last.
create table alerting.checkpoints (
  name text primary key,
  at timestamptz not null,
  image bytea not null
);

-- What says again and again that it is alive.
create table alerting.heartbeats (
  name text primary key,
  -- Absence counts from here: when it was first expected, or a router came back.
  since timestamptz not null,
  beat_at timestamptz,
  -- The labels under which it was said to be missing, and when; null: it is not.
  raised jsonb,
  raised_at timestamptz
);
