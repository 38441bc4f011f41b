-- Everything the document service knows. Times are given by the caller, never now(), so that a test can choose them.
create extension if not exists vector;
create schema if not exists worker;

create table worker.documents (
  id uuid primary key,
  tenant text not null,
  filename text not null,
  content_type text not null,
  bytes bigint not null,
  sha256 text not null,
  status text not null check (status in
    ('queued', 'parsing', 'chunking', 'embedding', 'storing', 'completed', 'rejected', 'failed', 'erased')),
  attempts int not null default 0,
  pages int,
  chunks int,
  tokens bigint,
  cost_usd numeric not null default 0,
  metadata jsonb not null default '{}',
  correlation_id text not null,
  traceparent text not null,
  idempotency_key text,
  request_hash text not null,
  webhook_url text,
  no_cache boolean not null default false,
  canary boolean not null default false,
  settings text not null default '',
  error_code text,
  error_message text,
  accepted_at timestamptz not null,
  -- accepted_at, or when it was tried again: since then an end is owed.
  queued_at timestamptz not null,
  updated_at timestamptz not null,
  finished_at timestamptz
);
create unique index documents_idempotency on worker.documents (tenant, idempotency_key) where idempotency_key is not null;
create index documents_newest on worker.documents (tenant, id desc);
create index documents_correlation on worker.documents (tenant, correlation_id);
create index documents_same on worker.documents (tenant, sha256, settings) where status = 'completed';
create index documents_unfinished on worker.documents (queued_at)
  where status in ('queued', 'parsing', 'chunking', 'embedding', 'storing');

create table worker.timeline (
  document_id uuid not null,
  seq int not null,
  at timestamptz not null,
  from_status text,
  to_status text not null,
  attempt int not null,
  because text not null,
  primary key (document_id, seq)
);

-- The uploaded bytes, in pieces of at most 1 MiB. A document that was accepted has all of its pieces.
create table worker.contents (
  document_id uuid not null,
  ordinal int not null,
  at timestamptz not null,
  bytes bytea not null,
  primary key (document_id, ordinal)
);
create index contents_age on worker.contents (at);

-- Results of the steps, stored before the next step starts, so that a repeat never pays again.
create table worker.parses (
  document_id uuid primary key,
  pages jsonb not null,
  parser text not null
);
create table worker.drafts (
  document_id uuid not null,
  ordinal int not null,
  text text not null,
  tokens int not null,
  page int not null,
  heading text not null,
  embedding vector(1536),
  -- What made the embedding: vectors of two models can not be compared.
  model text,
  primary key (document_id, ordinal)
);
create table worker.chunks (
  document_id uuid not null,
  ordinal int not null,
  tenant text not null,
  text text not null,
  tokens int not null,
  page int not null,
  heading text not null,
  embedding vector(1536) not null,
  primary key (document_id, ordinal)
);
create index chunks_nearest on worker.chunks using hnsw (embedding vector_cosine_ops);

-- The queue. available_at is the time a job may start; while it is claimed, the end of its lease: one that nobody
-- extends comes back by itself. The fence grows with every claim, and every write of an owner names it.
create table worker.jobs (
  id bigint generated always as identity primary key,
  queue text not null,
  key text not null unique,
  document_id uuid,
  payload jsonb not null default '{}',
  priority smallint not null default 1,
  available_at timestamptz not null,
  created_at timestamptz not null,
  attempts int not null default 0,
  interruptions int not null default 0,
  owner text,
  fence bigint not null default 0,
  -- Of the present claim: when the job had become due, and whether the owner before never let go.
  due_at timestamptz,
  taken_over boolean not null default false
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
create index jobs_due on worker.jobs (queue, priority, available_at, id);
create index jobs_of_document on worker.jobs (document_id) where document_id is not null;

create table worker.finished_jobs (
  id bigint not null,
  queue text not null,
  key text not null,
  document_id uuid,
  attempts int not null,
  interruptions int not null,
  owner text,
  created_at timestamptz not null,
  finished_at timestamptz not null
);
create index finished_jobs_age on worker.finished_jobs using brin (finished_at);

create table worker.workers (
  id text primary key,
  started_at timestamptz not null,
  last_seen timestamptz not null,
  slots int not null,
  service_seconds double precision not null
);

-- Counters that must not die with a killed process: moved in the transaction that they count.
create table worker.counters (
  worker_id text not null,
  name text not null,
  labels text not null,
  value double precision not null,
  primary key (worker_id, name, labels)
) with (fillfactor = 50);

-- A row for every call that a vendor may bill: written before the call, ended after it.
create table worker.vendor_calls (
  id uuid primary key,
  document_id uuid,
  tenant text not null,
  step text not null,
  vendor text not null,
  operation text not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  outcome text not null check (outcome in ('started', 'completed', 'failed', 'interrupted')),
  http_status int,
  vendor_job text,
  credits double precision not null default 0,
  tokens bigint not null default 0,
  cost_usd numeric not null default 0,
  wasted boolean not null default false
);
create index vendor_calls_document on worker.vendor_calls (document_id);
create index vendor_calls_open on worker.vendor_calls (vendor, started_at) where outcome = 'started';

-- One row for each vendor: its quota as a token bucket, shared by all workers.
create table worker.vendor_limits (
  vendor text primary key,
  requests double precision not null,
  tokens double precision not null,
  requests_per_minute double precision not null,
  tokens_per_minute double precision not null,
  at timestamptz not null,
  blocked_until timestamptz
);
