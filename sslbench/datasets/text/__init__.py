"""Text datasets: published collections, and texts of one's own."""
