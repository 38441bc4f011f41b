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
