-- Whoever signed in at the console: rows, so that a session survives a restart and counts at every router of the store.
create table access.sessions (
  -- SHA-256 of the cookie's 256 random bits: who reads the table cannot sign in with it.
  token_hash bytea primary key,
  id text not null,
  tenant text not null,
  subject text not null,
  name text,
  roles text not null,
  via text not null check (via in ('key', 'jwt', 'basic')),
  -- What it was begun with: a key's id, the print of a token's key or of a password's hash. When that is gone, it is over.
  basis text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);

create index sessions_by_subject on access.sessions (tenant, subject, created_at);
create index sessions_by_expiry on access.sessions (expires_at);
