"""How several conversations become one person's: invitations from one to another, and codes brought back."""
