"""What a token, a grant, a key or a certificate is, and every reason why it would be refused.

No check is made here: the token server's, the API owner's and self-service's own rules are asked, again and again,
until they have nothing more to say (``faults.every_fault``).
"""
