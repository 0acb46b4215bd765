copy pg_temp.incoming (ordinal, external_id, kennitala, name, has_email, email, has_phone, phone, is_member, not_member) from stdin (format binary)
