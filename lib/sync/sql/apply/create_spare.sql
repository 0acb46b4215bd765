-- Kennitölur that nobody has, for rows that step aside.
create temp table if not exists spare (n bigint not null, kennitala varchar(10) not null)
