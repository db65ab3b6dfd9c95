"""The named kernels, a set a file; a new file here is found by itself.

Those in `lecture` are the ones of the course that Convoscope follows.
"""
