"""Protocol documents, one module per specification or API, names to the letter. No I/O."""
