"""State of the emulated EKS: resources, operations under way, durations and planned faults."""
