"""Stand-ins for the databases: clips of procedural faces in the official layouts.

In: a seed. Out: a folder that a reader can't tell from a real database, but for its marker.
May be imported by: ``runs`` and what is above it. It knows no reader, and no reader knows it.
"""
