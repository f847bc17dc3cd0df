"""The registry's tables and the statements on them. Every function works in the transaction it is handed."""
