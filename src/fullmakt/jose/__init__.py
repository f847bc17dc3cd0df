"""Signing, verifying, keys and certificate chains. The only package that imports the JOSE library."""
