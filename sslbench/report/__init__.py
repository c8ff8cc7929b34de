"""From records to tables, figures and the page; knows neither torch nor MLflow."""
