-- What the statements of a run share, because plain statements cannot: the form of a member, the digest of a
-- change, and when two names are one. The planner inlines them, so they cost what their text costs. Nothing else lives in the database.

-- A member as the audit trail keeps it.
create or replace function public.member_state(
  kennitala text, name text, email text, phone text, external_id text, is_active boolean, removed_at timestamp
) returns jsonb
language sql stable parallel safe
return jsonb_build_object(
  'kennitala', kennitala, 'name', name, 'email', email, 'phone', phone,
  'external_id', external_id, 'is_active', is_active, 'removed_at', removed_at
);

-- Names a change and its result independently of our own ids: what the digest of a plan and an undo compare.
create or replace function public.change_digest(
  kind text, external_id text, kennitala text, name text, email text, phone text
) returns bytea
language sql stable parallel safe
return sha256(convert_to(row(kind, external_id, kennitala, name, email, phone)::text, 'UTF8'));

-- A name as people compare it: one Unicode form, single spaces, no case. A database in the locale C lowers ASCII
-- letters only, so the other letters of the Icelandic alphabet are named.
create or replace function public.plain_name(name text) returns text
language sql stable parallel safe
return lower(translate(
  btrim(regexp_replace(normalize(name, nfc), '\s+', ' ', 'g')), 'ÁÐÉÍÓÚÝÞÆÖ', 'áðéíóúýþæö'
));

-- What released the change from the limits, and so from those of later runs too: a first load, an approval.
alter table public.member_changes add column if not exists released varchar(20);
