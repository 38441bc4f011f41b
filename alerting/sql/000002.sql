-- What another program told us of an incident, each event once: it tells again what it believes we did not hear.
create table alerting.inbound (
  source text not null check (source in ('pagerduty')),
  id text not null,
  incident_id text not null,
  -- What they call the incident: some of their events name it by nothing else.
  theirs text not null,
  heard_at timestamptz not null,
  primary key (source, id)
);
create index inbound_of_theirs on alerting.inbound (source, theirs, heard_at);
create index inbound_heard on alerting.inbound (heard_at);

-- Releases and other changes: shown in the report of what broke after them.
create table alerting.changes (
  id text primary key,
  at timestamptz not null,
  summary text not null,
  source text not null,
  -- Null: of no service alone.
  service text,
  links jsonb not null,
  details jsonb not null,
  created_by text not null,
  created_at timestamptz not null
);
create index changes_at on alerting.changes (at);
