-- Who may do what, and who did what. Times come from the caller: one clock for a whole request.
create schema if not exists access;

create table access.api_keys (
  id text primary key,
  tenant text not null,
  name text not null,
  -- Comma-separated names from access/roles.ts, which checks them when it writes and when it reads.
  roles text not null,
  -- SHA-256 of the secret part. No salt and no slow hash: the secret is 256 random bits, there is nothing to guess.
  secret_hash bytea not null,
  created_at timestamptz not null,
  created_by text not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);

create index api_keys_by_tenant on access.api_keys (tenant, created_at desc, id);

-- Append-only: no statement of this program changes or removes a row. It holds ids and codes, never a document's text.
create table access.audit (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  tenant text not null,
  subject text not null,
  action text not null,
  target text not null,
  outcome text not null check (outcome in ('done', 'refused', 'failed')),
  correlation_id text
);

create index audit_by_tenant on access.audit (tenant, id desc);
