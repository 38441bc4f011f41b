-- What ended lately, for the pulse.
create index documents_finished on worker.documents (finished_at) where finished_at is not null;
