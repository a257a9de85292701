"""Long recordings: reading, checking, tracking the face, spotting expressions. No TensorFlow.

In come videos, folders of frames or pairs of images; out go intervals, curves and remarks. The
rooms above (``prediction``, ``cli``, ``bench``) may import it.
"""
