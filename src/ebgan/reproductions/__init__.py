"""`ebgan reproduce`: measure the claims, figures and tables of the papers."""
