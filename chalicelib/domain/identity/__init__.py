"""Who is asking, which team they are in, and which accounts there are."""
