"""The front before Django: bodies are read without a thread, and each kind of caller has threads of its own. Begin with `front`."""
