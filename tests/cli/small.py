"""A small experiment for tests of the command line."""

#: Its methods take no time: no network is trained.
SMALL = """
name: small
paper: {title: A small table, authors: Nobody, venue: nowhere, year: 2026}
table: Table 1
caption: Three classes of SAMM
data: {database: samm, labels: samm3, synthetic_clips: 12}
inputs: {clips: {kind: frames, frames: 1, size: 12, sampling: apex}}
protocol: {name: subject_kfold, k: 3}
selection: last_epoch
train: {optimizer: {learning_rate: 0.1}, epochs: 1, batch_size: 4}
rows:
  - {name: Linear SVM, method: linear_svm}
baselines: [majority]
profiles: {full: {}, quick: {}}
"""
