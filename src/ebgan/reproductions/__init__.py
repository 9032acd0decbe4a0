"""What `ebgan reproduce` measures: the claims, figures and tables of the papers."""
