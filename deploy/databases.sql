-- A database each for MLflow and for Optuna, with a user each who sees no other. Run by psql, once, as the superuser.
\set ON_ERROR_STOP on
\getenv mlflow MLFLOW_DATABASE_PASSWORD
\getenv optuna OPTUNA_DATABASE_PASSWORD
CREATE ROLE mlflow LOGIN PASSWORD :'mlflow';
CREATE ROLE optuna LOGIN PASSWORD :'optuna';
CREATE DATABASE mlflow OWNER mlflow;
CREATE DATABASE optuna OWNER optuna;
REVOKE CONNECT ON DATABASE mlflow, optuna, postgres FROM PUBLIC;
