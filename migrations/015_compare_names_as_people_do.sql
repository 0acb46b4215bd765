-- A name as people compare it: one Unicode form, single spaces, no case, and nothing that nobody sees. What is pasted
-- from elsewhere brings no-break spaces, soft hyphens and marks of direction along. A database in the locale C lowers
-- ASCII letters only, so the other letters of the Icelandic alphabet are named. Another encoding than UTF-8 has one form
-- of each letter, and hardly any of these marks.
do $$
begin
  if getdatabaseencoding() = 'UTF8' then
    -- As a text, since a server with another encoding stumbles over the letters of it otherwise.
    execute $utf8$create or replace function public.plain_name(name text) returns text
    language sql stable parallel safe
    return replace(lower(translate(
      btrim(regexp_replace(
        regexp_replace(normalize(name, nfc), '[\u00AD\u061C\u180E\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]', '', 'g'),
        '[\s\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+', ' ', 'g'
      )), 'ÁÐÉÍÓÚÝÞÆÖ' || U&'\03C2', 'áðéíóúýþæö' || U&'\03C3'
    )), 'ß', 'ss')$utf8$;
  else
    create or replace function public.plain_name(name text) returns text
    language sql stable parallel safe
    return lower(translate(btrim(regexp_replace(name, '\s+', ' ', 'g')), 'ÁÐÉÍÓÚÝÞÆÖ', 'áðéíóúýþæö'));
  end if;
end
$$;
