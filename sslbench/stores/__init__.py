"""The only room that knows MLflow and Optuna's storage: runs written and read back, queues of cells."""
