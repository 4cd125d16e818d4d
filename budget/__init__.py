"""The call budget: what may go out to the broker, shared by every process through Redis."""
