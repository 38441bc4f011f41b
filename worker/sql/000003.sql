-- With the id in it: the newest of those with the same bytes, without reading them all.
drop index worker.documents_same;
create index documents_same on worker.documents (tenant, sha256, settings, id desc) where status = 'completed';

-- A tenant that has few chunks: compared one by one, instead of looked for among the nearest of all tenants.
create index chunks_tenant on worker.chunks (tenant);
