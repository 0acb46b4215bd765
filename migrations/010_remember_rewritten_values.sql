-- Another service may write a value otherwise than it was asked for, as a trigger does that stores every e-mail in
-- lower case. What was asked and what was stored, by their digests: the difference is reported once, and is no
-- change that every later run would plan again.
create table if not exists public.rewritten_values (
  member_id int not null,
  field varchar(20) not null,
  asked bytea not null,
  stored bytea not null,
  since timestamptz not null default now(),
  run_id int not null,
  primary key (member_id, field)
);

-- The name under which a plan asks for the change: where something else was stored, the audit row alone does not
-- tell it, and what was undone would be done again.
alter table public.member_changes add column if not exists outcome bytea;

-- A value, or that there is none.
create or replace function public.value_digest(value text) returns bytea
language sql stable parallel safe
return sha256(convert_to(coalesce('=' || value, ''), 'UTF8'));
