"""The subject itself: kernels, exact convolution and pooling with their trace. NumPy only."""
