"""The entrance: signing in and out, one's own account, and the pages that stand in the place of one not to be seen."""
