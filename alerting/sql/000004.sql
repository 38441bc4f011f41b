-- What was counted of an objective and shall not count. Appended; what is taken back stays, with who took it back.
create table alerting.corrections (
  id text primary key,
  objective text not null,
  from_at timestamptz not null,
  to_at timestamptz not null check (to_at > from_at),
  kind text not null check (kind in ('all', 'share', 'events')),
  -- Of the bad events: which share, or how many.
  amount double precision check ((kind = 'all') = (amount is null)),
  author text not null,
  reason text not null,
  entered_at timestamptz not null,
  withdrawn_at timestamptz,
  withdrawn_by text
);
create index corrections_objective on alerting.corrections (objective, entered_at);
