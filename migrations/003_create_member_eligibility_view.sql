-- What the Elections and Events services read. Only active members are in it; a person who is not in
-- it is not eligible. verified_at is the last run that saw this member in the register (UTC).
create or replace view public.member_eligibility as
select
  kennitala,
  name,
  email,
  is_active as eligible,
  last_verified_at at time zone 'UTC' as verified_at
from public.members
where is_active;
