"""The functions of the state machines: one module per ASL file, one function per Task state."""
