delete from incoming i using repeated r where i.ordinal = r.ordinal
