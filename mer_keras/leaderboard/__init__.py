"""Stored runs of many methods on one public set -> a page that compares them.

In come run folders and contributions (small folders that hold a run's predictions); out go a page
for browsers, markdown, CSV and JSON. Only the command line imports this package.
"""
