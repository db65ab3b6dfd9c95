"""The named kernels, a set a file; a new file here is found by itself.

Numbers marked "lecture" are those of the course that Convoscope follows; they are also the ones of the article
"Kernel (image processing)" of Wikipedia.
"""
