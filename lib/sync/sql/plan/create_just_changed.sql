create temp table just_changed (
  member_id int not null,
  action text not null,
  fields text[] not null,
  before jsonb
)
