"""Semi-supervised learning (EBGAN paper): table 2, figure 10 and ablations of EBGAN-LN."""
