"""Who may see and do what: tokens, their roles, and the guard that knows them."""
