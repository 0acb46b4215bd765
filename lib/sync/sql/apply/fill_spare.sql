-- $1 kennitölur of people who were born in the nineteenth century, with the check digit and on no row: what a row has for
-- a moment while it waits for the kennitala of another, and what every rule about kennitölur lets pass.
insert into pg_temp.spare (n, kennitala)
select row_number() over (), kennitala
from (
  select c.kennitala
  from (
    select digits || last || '8' as kennitala
    from (
      select digits,
        (11 - (
          3 * substr(digits, 1, 1)::int + 2 * substr(digits, 2, 1)::int + 7 * substr(digits, 3, 1)::int
          + 6 * substr(digits, 4, 1)::int + 5 * substr(digits, 5, 1)::int + 4 * substr(digits, 6, 1)::int
          + 3 * substr(digits, 7, 1)::int + 2 * substr(digits, 8, 1)::int
        ) % 11) % 11 as last
      from (
        select to_char(1 + n % 28, 'fm00') || to_char(1 + n / 28 % 12, 'fm00') || to_char(n / 336 % 100, 'fm00')
          || to_char(20 + n / 33600, 'fm00') as digits
        from (select generate_series(0, 2687999) as n) numbers
      ) people
    ) checked
    where last < 10
  ) c
  left join public.members m on m.kennitala = c.kennitala
  where m.id is null
  limit $1::int
) enough
