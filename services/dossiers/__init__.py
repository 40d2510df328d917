"""Cases as people read them: lists, one case, its story, what it waits for, figures. Nothing here changes a case."""
