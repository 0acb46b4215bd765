-- The digest that an approval must name: of the changes that wait for it, or of all where none does. What an
-- approval has released belongs to it still. Each outcome is the digest of one change and its new values.
select 'sha256:' || encode(sha256(coalesce(string_agg(outcome, ''::bytea order by outcome), ''::bytea)), 'hex') as digest
from plan
where held is not null or released = 'approval'
  or not exists (select from plan where held is not null or released = 'approval')
