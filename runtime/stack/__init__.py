"""The stack of one machine: private servers and all processes under one supervisor."""
