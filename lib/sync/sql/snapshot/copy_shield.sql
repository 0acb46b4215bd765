copy shield (external_id, kennitala) from stdin
