copy pg_temp.shield (external_id, kennitala) from stdin (format binary)
