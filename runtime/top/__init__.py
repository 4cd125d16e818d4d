"""`stockd top`: the running machine on one screen, from the tables and Redis alone."""
