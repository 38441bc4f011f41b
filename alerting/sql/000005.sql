-- What people made of an incident's report; where there is none, it is made anew each time it is asked for.
create table alerting.reports (
  incident_id text primary key references alerting.incidents (id) on delete cascade,
  -- Counts the edits: whoever saves says which one they had before them.
  revision int not null,
  markdown text not null,
  edited_by text not null,
  edited_at timestamptz not null
);

-- Who takes over a shift, beside what oncall.yaml says. Appended; one that is ended early stays, with who ended it.
create table alerting.overrides (
  id text primary key,
  schedule text not null,
  person text not null,
  from_at timestamptz not null,
  to_at timestamptz not null check (to_at > from_at),
  because text,
  created_by text not null,
  created_at timestamptz not null,
  -- It holds until then at most; before from_at: it never held.
  ended_at timestamptz,
  ended_by text,
  updated_at timestamptz not null
);
create index overrides_ends on alerting.overrides (to_at);
create index overrides_updated on alerting.overrides (updated_at);

-- Pages are told each second which silences were changed.
create index silences_updated on alerting.silences (updated_at);
