"""Published numbers -> what they imply, recomputed from nothing but the papers' own figures.

In: ``experiments/<paper>/published.yaml``. Out: findings.
May be imported by: report, the command line.
"""
