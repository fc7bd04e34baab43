"""Pages that open anywhere: what a report is made of, and one HTML file of it."""
