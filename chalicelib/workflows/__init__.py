"""What a state machine does: one module per ASL file, one function per Task state."""
