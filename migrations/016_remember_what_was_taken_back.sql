-- A value of one field of one member, as a plan asks for it. $3: the digest of the value.
create or replace function public.field_digest(member_id int, field text, asked bytea) returns bytea
language sql stable parallel safe
return public.value_digest(concat_ws(' ', field, member_id, encode(asked, 'hex')));

-- A name as people compare it, as before; more of what nobody sees is left out: joiners, fillers, selectors of a
-- letter's form, tags, and control characters.
do $$
begin
  if getdatabaseencoding() = 'UTF8' then
    -- As a text, since a server with another encoding stumbles over the letters of it otherwise.
    execute $utf8$create or replace function public.plain_name(name text) returns text
    language sql stable parallel safe
    return replace(lower(translate(
      btrim(regexp_replace(
        regexp_replace(
          normalize(name, nfc),
          '[\u0001-\u0008\u000E-\u001B\u007F-\u0084\u0086-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u2800\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF9-\uFFFB\U000E0000-\U000E0FFF]',
          '', 'g'
        ),
        '[\s\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+', ' ', 'g'
      )), 'ÁÐÉÍÓÚÝÞÆÖ' || U&'\03C2', 'áðéíóúýþæö' || U&'\03C3'
    )), 'ß', 'ss')$utf8$;
  end if;
end
$$;
