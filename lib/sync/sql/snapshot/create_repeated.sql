-- Records that the register gave more than once, by id or by kennitala, and that are left out.
create temp table repeated (
  ordinal bigint not null,
  external_id varchar(255) not null,
  kennitala varchar(10),
  is_member boolean not null,
  across_pages boolean not null,
  code varchar(40) not null
)
