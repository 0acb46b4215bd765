-- A role that can read who is eligible, and nothing else. Run it as the owner of the tables; then give
-- the role its password with: \password elections_reader
create role elections_reader login;
grant usage on schema public to elections_reader;
grant select on public.member_eligibility to elections_reader;
