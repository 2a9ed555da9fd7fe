"""`make demo`: one lab from request to proof of empty, a fleet's deadlines, a class's night."""
