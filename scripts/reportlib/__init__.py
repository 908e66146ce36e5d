"""Turns result files of bench_sandbox into a report. One question per module:

  cli       what the command line means, and the exit status
  load      which samples the files hold              (schema: is a file well formed?)
  names     what a benchmark's path says
  study     which number stands for a set of samples  (stats: the arithmetic)
  sections  which numbers answer which question       (run, speed, primitives, machine, raw)
  document  what a report is made of                  (charts, svg: the plots)
  render    how it looks as HTML, markdown and text
  embed     how a page holds all samples
  verify    whether a report's numbers follow from its embedded samples
"""
