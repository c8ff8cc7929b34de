"""The only rooms that know MLflow and Optuna's storage: runs written and read back, queues of cells."""
