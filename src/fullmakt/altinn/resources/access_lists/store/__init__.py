"""The tables ``resources.access_list``, ``access_list_member`` and ``access_list_connection``."""
