"""Stored predictions -> tables, figures and one HTML file. Every number is computed here.

In: run folders and configs. Out: files that name neither a host, a path nor a subject.
May be imported by: the command line.
"""
