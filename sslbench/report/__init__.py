"""Records to statistics, tables and plots. Pure functions of records; imports neither torch nor MLflow."""
