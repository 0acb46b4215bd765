-- Records whose member, or former member, keeps a row with another kennitala: that row moves to the kennitala of the record.
create temp table move (ordinal bigint not null, row_id int not null)
